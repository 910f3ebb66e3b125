//! Both UARTs of a board: the console in lines and CBOR, the radio in both framings. What a board does then beyond not
//! breaking is tested in its own crate.

use longwire_codec::serial::{emit, wire_len_max};
use tests::board;
use tests::dice::Dice;

fn framed(frame: &[u8]) -> Vec<u8> {
    let mut wire = vec![0; wire_len_max(frame.len())];
    let len = emit(frame, &mut wire).expect("as long as the function says");
    wire.truncate(len);
    wire
}

#[test]
fn a_console_is_asked_anything() {
    let requests: [&[u8]; 6] = [
        &[0x83, 0, 0x63, b'a', b'@', b'b', 0x62, b'h', b'i'],
        &[0x81, 1],
        &[0x81, 3],
        &[0x83, 4, 0x1a, 0x23, 0x57, 0x4b, 0x40, 0x20],
        &[0x82, 6, 0x62, b'o', b'k'],
        &[0x82, 5, 0x63, b'a', b'@', b'b'],
    ];
    let mut known: Vec<Vec<u8>> = requests.into_iter().map(framed).collect();
    known.extend(
        [
            &b"to a@b hi\r\n"[..],
            b"pos 59.3 18.1\n",
            b"inbox\r",
            b"who\n",
        ]
        .map(<[u8]>::to_vec),
    );
    let mut dice = Dice::new(23);
    for _ in 0..300 {
        let mut octets = Vec::new();
        for _ in 0..dice.below(12) {
            let mut piece = known[dice.below(known.len())].clone();
            if dice.below(3) > 0 {
                dice.mutate(&mut piece);
            }
            octets.extend(piece);
        }
        octets.extend(dice.bytes(40));
        board::console(&octets);
    }
}

#[test]
fn a_radio_hears_anything() {
    let mut dice = Dice::new(29);
    for _ in 0..300 {
        let mut octets = Vec::new();
        for _ in 0..dice.below(12) {
            octets.extend(framed(&dice.bytes(120)));
            octets.extend(dice.bytes(30));
            octets.push(0xc0);
        }
        board::radio(&octets);
    }
}
