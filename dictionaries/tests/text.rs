//! The released text models code these sentences to these octets, here and on every board; and back.

use longwire_codec::entropy::range::{Decoder, Encoder};
use longwire_codec::text::TextModel;
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
        let written = model.code(&mut encoder, sentence.as_bytes(), &mut []);
        assert_eq!(written, sentence.len());
        let size = encoder.finish().expect("room enough");
        let mut out = [0; 100];
        let read = model.code(&mut Decoder::new(&packet[..size]), &[], &mut out);
        assert_eq!(&out[..read], sentence.as_bytes());
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
            "130cdf0cf70478072eba26",
            "4adfccf1ba564a799d2ed70d04c6183b56dad770",
            "ccb0",
            "8130d4d93fa4699af2b4e45f75a5c943a3393f25b7a0eae1bc7226",
            "66dd08dfdf8b6b589a7e9da472b7b40aff31aeffbe95a1",
            "03b6ca21bbc26d132f5e74454c31b65ed8b3"
        ]
    );
}

#[test]
fn middle_model() {
    assert_eq!(
        packets(V1_512K.text),
        [
            "0f60198178612e8d57d052",
            "58542316d92bc86d5162dedcbd8d84f73ce15a",
            "c824",
            "921475b660776bb416efd6663820c56168e1515aa912830d04",
            "74962d6ce70ac1ffa0733d8a2b13d0a1dea00749ea",
            "03b6ca21bbc26d132f5e74454c31b65ed8b3"
        ]
    );
}

#[test]
fn host_model() {
    assert_eq!(
        packets(V1_HOST.text),
        [
            "0f54aa77744218263fd3",
            "1ec9a8ebd150bead85bc2414831b13b8bc5c38",
            "7898",
            "ddfa9a27626532c007c43c0ad5a6",
            "45fb80dcb675542afb10592047cb4a55aeaf83b3103e",
            "fe119020e30e046258b1b1a7b8e80ac2"
        ]
    );
}
