//! The released text models code these sentences to these octets, here and on every board; and back.

use longwire_codec::entropy::range::{Decoder, Encoder};
use longwire_codec::text::{TextModel, hint};
use longwire_dictionaries::{V1_128K, V1_512K, V1_HOST};

const SENTENCES: [&str; 6] = [
    "see you at the harbour around ten then",
    "ETA KIEL 1430Z, WX FINE, 73",
    "ok",
    "Arrivons demain matin avec deux blessés légers",
    "position 54.3213N 10.1348E, drifting, drifting",
    "海上有风暴 🌊",
];

/// What the model makes of the sentences, one line each in hexadecimal; checked to come back.
fn packets(model: &[u8]) -> Vec<String> {
    let model = TextModel::new(model).expect("a released model");
    let packet = |sentence: &&str| {
        let mut packet = [0; 200];
        let mut encoder = Encoder::new(&mut packet);
        let written = model.code(&mut encoder, hint::BODY, sentence.as_bytes(), &mut []);
        assert_eq!(written, Ok(sentence.len()));
        let size = encoder.finish().expect("room enough");
        let mut out = [0; 100];
        let read = model.code(
            &mut Decoder::new(&packet[..size]),
            hint::BODY,
            &[],
            &mut out,
        );
        assert_eq!(&out[..read.expect("own work")], sentence.as_bytes());
        packet[..size]
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect()
    };
    SENTENCES.iter().map(packet).collect()
}

#[test]
fn small_model() {
    assert_eq!(
        packets(V1_128K.text),
        [
            "1021d90552863aa6715d2cd7",
            "257109f6584aad0ba6a7057a47b1284c0fdf8f",
            "7553",
            "3aa9f9adc5b6a955d64d1a37c495f0d68e420227c95ee5a59473dd",
            "61c9e385ed4bffb3651b210c04c6c0b28848fc393267",
            "03b6ca21bbc26d132f5e74454c31b65ed8b3"
        ]
    );
}

#[test]
fn middle_model() {
    assert_eq!(
        packets(V1_512K.text),
        [
            "15288b4590a097d1bc13b9",
            "365f8fcfa573ab0d3c28eb89e1f625e73c95",
            "9954",
            "4fdd16f2ac0a6e0e745cb43d6a7a6d9e35aaa35b7e9ba5400dd3c964",
            "78bb44e15469a9312a2fbe7186a59745a5a392c77059",
            "03b6ca21bbc26d132f5e74454c31b65ed8b3"
        ]
    );
}

#[test]
fn host_model() {
    assert_eq!(
        packets(V1_HOST.text),
        [
            "0ce22c3f465bd45844e727",
            "1128a78a8601ccff24c55b078f43220a34ada1",
            "55",
            "ddc1523c0749476fd92971b6db",
            "3f92c04c61b8b48cd5d00fe04e39d63fce5ef02cc317",
            "03b6ca21bbc26d132f5e74454c31b65ed8b3"
        ]
    );
}
