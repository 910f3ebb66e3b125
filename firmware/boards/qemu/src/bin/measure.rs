//! What codec and endpoint take of stack, and how many instructions a chat and an agreement on a new key take, printed
//! through semihosting for `bench -- footprint`. Refuses a gateway: base is the codec's other end, in the same image.
#![no_std]
#![no_main]

#[path = "measure/base.rs"]
mod base;
#[path = "measure/kinds.rs"]
mod kinds;
#[path = "measure/meter.rs"]
mod meter;

use core::mem::MaybeUninit;

use base::Base;
use board::flash::{self, Flash};
use cortex_m_rt::entry;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::provision::Provision;
use longwire_codec::session::{Options, Session};
use longwire_codec::stanza::{Arena, Node, Stanza};
use longwire_firmware::compose::compose;
use longwire_firmware::console::{ANSWER_MAX, Console};
use longwire_firmware::endpoint::{
    Endpoint, Event, NODES_MAX, PACKET_MAX, PROFILE, Position, Reading, STRINGS_MAX, Value,
    link_storage_len,
};
use longwire_firmware::flash::Store;
use longwire_firmware::text::Text;
use meter::Meter;
use semihosting::println;

const MTU: usize = 256;
const SESSION_LEN: usize = PROFILE.storage_len();
/// Forty characters.
const BODY: &str = "Wind is 12 knots from the west, sea calm";

/// A chat: recipient, id, text.
pub const CHAT: &str = "<message|type=chat|id=?|<body|=?|>|<r:request";

/// What both ends agree on.
pub const PROVISION: Provision<'static> = Provision {
    mtu: MTU as u16,
    ..Provision::EXAMPLE
};

type Board = Endpoint<'static, Flash, &'static mut [u8], &'static mut [u8]>;

#[entry]
fn main() -> ! {
    board::machine::start_ticks();
    let dictionary = longwire_dictionaries::ALL[0];
    println!(
        "session_octets {}",
        size_of::<Session<'_, [u8; SESSION_LEN]>>()
    );
    println!(
        "link_octets {}",
        size_of::<longwire_codec::link::Link<[u8; link_storage_len(MTU)]>>()
    );
    println!("endpoint_octets {}", size_of::<Board>());
    if stanzas(dictionary).is_none() {
        semihosting::process::exit(102)
    }
    if endpoint(dictionary).is_none() {
        semihosting::process::exit(103)
    }
    semihosting::process::exit(0)
}

/// Instructions and stack of `work`.
fn measured<R>(work: impl FnOnce() -> R) -> (R, u32, usize) {
    let mut meter = Meter::default();
    let done = meter.watch(work);
    (done, meter.total, meter.deepest)
}

/// The same chat thrice, acknowledged each time: the first teaches both ends the addresses. Then stanzas of other kinds,
/// each twice, for the stack: it is that of the deepest.
fn stanzas(dictionary: &'static Dictionary<'static>) -> Option<()> {
    let mut board = Session::new(dictionary, PROFILE, [0; SESSION_LEN]).ok()?;
    let mut base = Session::new(dictionary, PROFILE, [0; SESSION_LEN]).ok()?;
    let mut deepest = (0, 0);
    let chats = [&[][..]; 3].into_iter();
    let others = kinds::ALL.into_iter().flat_map(|nodes| [nodes; 2]);
    for (turn, nodes) in (0..).zip(chats.chain(others)) {
        let number = PacketNumber::new(turn);
        let mut packet = [0; PACKET_MAX];
        let (mut texts, mut tape) = ([0; STRINGS_MAX], [Node::Close; NODES_MAX]);
        let mut text = Text::new(&mut texts);
        text.item("romeo@base.example/phone").item("b1").item(BODY);
        let stanza = match nodes {
            [] => compose(CHAT, "buoy@field.example", text.whole()?, &mut tape)?,
            nodes => Stanza::new(nodes)?,
        };
        let (len, written, depth) =
            measured(|| board.encode(number, stanza, Options::default(), &mut packet));
        deepest.0 = depth.max(deepest.0);
        let packet = packet.get(..len.ok()?)?;
        let (mut strings, mut tape) = ([0; STRINGS_MAX], [Node::Close; NODES_MAX]);
        let mut arena = Arena::new(&mut strings);
        let (read, taken, depth) =
            measured(|| base.decode(number, packet, &mut arena, &mut tape).is_ok());
        deepest.1 = depth.max(deepest.1);
        read.then_some(())?;
        match turn {
            0 => {
                println!("encode_first_instructions {written}");
                println!("decode_first_instructions {taken}");
            }
            2 => {
                println!("encode_instructions {written}");
                println!("decode_instructions {taken}");
            }
            _ => {}
        }
        board.acknowledge(number);
    }
    println!("encode_stack_octets {}", deepest.0);
    println!("decode_stack_octets {}", deepest.1);
    Some(())
}

/// A board and base on a clean line: subscription, chats both ways, position, commands, console. The deepest stack below
/// the calls of the endpoint.
fn endpoint(dictionary: &'static Dictionary<'static>) -> Option<()> {
    let store = Store::new(Flash, 4096..flash::SIZE).ok()?;
    let mut start = Meter::default();
    let link = cortex_m::singleton!(: [u8; link_storage_len(MTU)] = [0; link_storage_len(MTU)])?;
    let session = cortex_m::singleton!(: [u8; SESSION_LEN] = [0; SESSION_LEN])?;
    let (link, session): (&'static mut [u8], &'static mut [u8]) = (link, session);
    let place = cortex_m::singleton!(: MaybeUninit<Board> = MaybeUninit::uninit())?;
    let board = start
        .watch(|| Endpoint::start(&PROVISION, dictionary, store, link, session, 7, |it| place.write(it)))
        .ok()?;
    println!("endpoint_start_stack_octets {}", start.deepest);
    board.set_reading(Reading {
        name: "temperature",
        value: Value::Milli(21_500),
        unit: "Cel",
    });
    let mut base = Base::new(dictionary)?;
    let (mut calls, mut console) = (Meter::default(), Meter::default());
    base.say(base::Say::Subscribe);
    talk_all(board, &mut base, &mut calls)?;
    base.say(base::Say::Chat(BODY));
    calls
        .watch(|| board.chat("romeo@base.example", BODY))
        .ok()?;
    talk_all(board, &mut base, &mut calls)?;
    let position = Position {
        lat_e7: 593_293_235,
        lon_e7: 180_685_808,
    };
    calls.watch(|| board.set_position(position)).ok()?;
    for say in [
        base::Say::Disco,
        base::Say::Command("read"),
        base::Say::Command("set"),
        base::Say::Long,
    ] {
        base.say(say);
        talk_all(board, &mut base, &mut calls)?;
    }
    println!("endpoint_stack_octets {}", calls.deepest);
    let mut desk = Console::default();
    for line in [
        "to romeo@base.example hello",
        "inbox",
        "who",
        "status",
        "pos 59.3 18.1",
        "say on watch",
    ] {
        console.watch(|| type_line(&mut desk, board, line));
        talk_all(board, &mut base, &mut calls)?;
    }
    println!("console_stack_octets {}", console.deepest);
    #[cfg(feature = "edhoc")]
    rekeys(board, &mut base)?;
    Some(())
}

/// New keys, one that base asks for and one that the board does.
#[cfg(feature = "edhoc")]
fn rekeys(board: &mut Board, base: &mut Base) -> Option<()> {
    board.use_entropy(|octets| {
        *octets = [9; 32];
        true
    });
    base.rekey.begin();
    let (asked, wipe) = until_new_key(board, base)?;
    board.rekey();
    let (asking, _) = until_new_key(board, base)?;
    println!("rekey_asked_instructions {}", asked.total);
    println!("rekey_asking_instructions {}", asking.total);
    println!(
        "rekey_call_instructions {}",
        asked.longest.max(asking.longest)
    );
    println!("rekey_wipe_instructions {wipe}");
    println!("rekey_stack_octets {}", asked.deepest.max(asking.deepest));
    Some(())
}

/// The handshake, and the instructions of the call after it, which writes round the records.
#[cfg(feature = "edhoc")]
fn until_new_key(board: &mut Board, base: &mut Base) -> Option<(Meter, u32)> {
    let mut calls = Meter::default();
    for _ in 0..TURNS_MAX {
        let before = calls;
        if turn(board, base, &mut calls)? == Turn::NewKey {
            talk_all(board, base, &mut Meter::default())?;
            return Some((before, calls.total - before.total));
        }
    }
    None
}

/// Types a line at a console nobody listens to.
fn type_line(desk: &mut Console, board: &mut Board, line: &str) {
    let mut out = [0; ANSWER_MAX];
    for octet in line.bytes().chain(*b"\n") {
        desk.handle_octet(board, octet);
        while desk.poll_answer(board, &mut out).is_some() {}
    }
}

/// Turns that any exchange here ends in.
const TURNS_MAX: usize = 200;

/// What came of a turn.
#[derive(PartialEq)]
enum Turn {
    /// Somebody spoke, or has to.
    Talk,
    /// Neither has more to say.
    Idle,
    /// The board has a new key.
    NewKey,
}

/// Lets both ends speak until neither has more to say.
fn talk_all(board: &mut Board, base: &mut Base, calls: &mut Meter) -> Option<()> {
    for _ in 0..TURNS_MAX {
        if turn(board, base, calls)? == Turn::Idle {
            return Some(());
        }
    }
    None
}

/// Lets one end speak, or time pass.
fn turn(board: &mut Board, base: &mut Base, calls: &mut Meter) -> Option<Turn> {
    let now = base.now();
    let mut frame = [0; MTU];
    let mut turn = Turn::Talk;
    if let Some(len) = base.speak(&mut frame) {
        calls.watch(|| board.handle_frame(base.now(), frame.get_mut(..len)?).ok())?;
    } else {
        calls.watch(|| board.handle_timeout(now)).ok()?;
        let sent = calls.watch(|| board.poll_transmit(now, &mut frame)).ok()?;
        match sent {
            Some(sent) => {
                base.hear(frame.get_mut(..sent.len)?)?;
                board.handle_sent(base.now());
            }
            None if board.is_idle() && base.is_idle() => turn = Turn::Idle,
            None => base.wait(board.poll_timeout().map(|(at, _)| at)),
        }
    }
    while let Some(event) = board.poll_event() {
        if event == Event::NewKey {
            turn = Turn::NewKey;
        }
    }
    Some(turn)
}
