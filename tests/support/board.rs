//! The library of the boards on a flash in memory, and hostile octets for its two UARTs: one function each, the same for
//! the fuzz targets and for the quick run in the test suite. Each panics when a promise is broken.

use embedded_storage_async::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use longwire_codec::kiss::{self, Kiss};
use longwire_codec::provision::Provision;
use longwire_codec::serial::{self, Deframer};
use longwire_codec::time::Instant;
use longwire_dictionaries::V1_128K;
use longwire_firmware::console::{ANSWER_MAX, Console};
use longwire_firmware::endpoint::{Endpoint, MTU_MAX, PROFILE, link_storage_len};
use longwire_firmware::flash::Store;

const FLASH_LEN: usize = 32 * 1024;
/// Pieces of the longest answer: every chat of the inbox, and its end.
const PIECES_MAX: usize = 14;

const PROVISION: Provision<'static> = Provision::EXAMPLE;

type Board = Endpoint<'static, Flash, Vec<u8>, Vec<u8>>;

fn board() -> Board {
    let store = Store::new(Flash(vec![0xff; FLASH_LEN]), 0..FLASH_LEN as u32);
    let (link, session) = (
        vec![0; link_storage_len(MTU_MAX)],
        vec![0; PROFILE.storage_len()],
    );
    let store = store.expect("whole blocks");
    let started = Endpoint::start(&PROVISION, &V1_128K, store, link, session, 7, |it| it);
    started.expect("a blank flash")
}

/// Octets at the console: each is answered in bounded pieces, and after the end of a line or a frame the next is read.
pub fn console(bytes: &[u8]) {
    let (mut board, mut console) = (board(), Console::default());
    let mut out = [0; ANSWER_MAX];
    let mut answer = |console: &mut Console, octet: u8| {
        console.handle_octet(&mut board, octet);
        let mut said = Vec::new();
        for _ in 0..=PIECES_MAX {
            let Some(len) = console.poll_answer(&mut board, &mut out) else {
                return said;
            };
            assert!(len > 0, "an empty piece");
            said.extend_from_slice(&out[..len]);
        }
        panic!("an answer without end");
    };
    for octet in bytes {
        answer(&mut console, *octet);
    }
    let mut said = Vec::new();
    for octet in *b"\0\r\nhelp\r" {
        said = answer(&mut console, octet);
    }
    assert!(said.ends_with(b"help\r\n"), "help is not understood");
}

/// Octets at the radio's UART, read as both kinds of modem do, and each piece of them as a frame: nothing comes of what
/// has no key, and the board does not fill the air.
pub fn radio(bytes: &[u8]) {
    let mut board = board();
    let mut serial = Deframer::new([0; serial::wire_len_max(MTU_MAX)]);
    let mut tnc = kiss::Deframer::new(Kiss::default(), [0; kiss::wire_len_max(MTU_MAX)]);
    for octet in bytes {
        for frame in [serial.push(*octet), tnc.push(*octet)]
            .into_iter()
            .flatten()
        {
            hear(&mut board, frame);
        }
    }
    let mut rest = bytes;
    while let [len, body @ ..] = rest {
        let (frame, after) = body.split_at(usize::from(*len).min(body.len()));
        hear(&mut board, frame);
        rest = after;
    }
    let stats = board.link_stats();
    assert_eq!(stats.frames_received, 0, "a frame without a key");
    assert!(
        stats.frames_sent <= 2,
        "{} answers to noise",
        stats.frames_sent
    );
    assert_eq!(board.waiting(), (0, 0));
}

fn hear(board: &mut Board, frame: &[u8]) {
    let now = Instant::from_millis(1000);
    board
        .handle_frame(now, &mut frame.to_vec())
        .expect("flash is fine");
    let mut said = [0; MTU_MAX];
    let said = board.poll_transmit(now, &mut said).expect("flash is fine");
    if said.is_some() {
        board.handle_sent(now);
    }
}

/// A NOR flash in memory.
struct Flash(Vec<u8>);

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let from = offset as usize;
        bytes.copy_from_slice(&self.0[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let places = &mut self.0[offset as usize..];
        places
            .iter_mut()
            .zip(bytes)
            .for_each(|(place, octet)| *place &= octet);
        Ok(())
    }
}
