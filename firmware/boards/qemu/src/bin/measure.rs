//! What codec and endpoint take of stack, and how many instructions a chat takes, printed through semihosting for
//! `bench -- footprint`. Refuses a gateway: base is the codec's other end, in the same image.
//!
//! Stack is painted before each call and looked at after it. Instructions are those of QEMU's `-icount shift=0`: one each
//! nanosecond.
#![no_std]
#![no_main]

#[path = "measure/base.rs"]
mod base;
#[path = "measure/stack.rs"]
mod stack;

use base::Base;
use board::flash::{self, FileFlash};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::entry;
use embassy_futures::block_on;
use longwire_codec::dictionary::Dictionary;
use longwire_codec::link::PacketNumber;
use longwire_codec::provision::Provision;
use longwire_codec::session::{Options, Session};
use longwire_codec::stanza::{Arena, Node};
use longwire_firmware::compose::{Addressed, Compose, Position, chat};
use longwire_firmware::console::{ANSWER_MAX, Console};
use longwire_firmware::endpoint::{
    Endpoint, NODES_MAX, PACKET_MAX, PROFILE, Reading, STRINGS_MAX, link_storage_len,
};
use longwire_firmware::flash::Store;
use semihosting::println;
use stack::Stack;

const MTU: usize = 256;
const SESSION_LEN: usize = PROFILE.storage_len();
/// Nanoseconds of a tick at 25 MHz.
const TICK_NS: u32 = 40;
/// Forty characters.
const BODY: &str = "Wind is 12 knots from the west, sea calm";

/// What an application knows, and both ends agree on.
pub const PROVISION: Provision<'static> = Provision {
    key: *b"no secret, but thirty-two octets",
    jid: "buoy@field.example",
    station: 0,
    gateway: 0,
    callsign: "",
    tag_len: 8,
    mtu: MTU as u16,
    bit_rate: 1200,
    turnaround_ms: 100,
    shared: false,
    lora: None,
    duty_permille: 0,
    listen_every_s: 0,
};

type Board = Endpoint<'static, FileFlash, &'static mut [u8], &'static mut [u8]>;

#[entry]
fn main() -> ! {
    let Some(mut peripherals) = cortex_m::Peripherals::take() else {
        semihosting::process::exit(101)
    };
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(0x00ff_ffff);
    peripherals.SYST.clear_current();
    peripherals.SYST.enable_counter();
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
    if chats(dictionary).is_none() {
        semihosting::process::exit(102)
    }
    if endpoint(dictionary).is_none() {
        semihosting::process::exit(103)
    }
    semihosting::process::exit(0)
}

/// Instructions and stack of `work`.
fn measured<R>(work: impl FnOnce() -> R) -> (R, u32, usize) {
    let mut stack = Stack::default();
    let (done, instructions) = stack.watch(|| {
        let before = SYST::get_current();
        let done = work();
        let after = SYST::get_current();
        (done, (before.wrapping_sub(after) & 0x00ff_ffff) * TICK_NS)
    });
    (done, instructions, stack.deepest())
}

/// The same chat thrice, acknowledged each time: the first teaches both ends the addresses.
fn chats(dictionary: &'static Dictionary<'static>) -> Option<()> {
    let mut board = Session::new(dictionary, PROFILE, [0; SESSION_LEN]).ok()?;
    let mut base = Session::new(dictionary, PROFILE, [0; SESSION_LEN]).ok()?;
    for turn in 0..3 {
        let number = PacketNumber::new(turn);
        let mut packet = [0; PACKET_MAX];
        let (mut strings, mut tape) = ([0; STRINGS_MAX], [Node::Close; NODES_MAX]);
        let mut arena = Arena::new(&mut strings);
        let mut compose = Compose::new(&mut tape, &mut arena);
        let who = Addressed {
            from: "buoy@field.example",
            to: "romeo@base.example/phone",
        };
        let stanza = chat(&mut compose, who, Some("b1"), BODY).ok()?;
        let (len, instructions, depth) =
            measured(|| board.encode(number, stanza, Options::default(), &mut packet));
        let packet = packet.get(..len.ok()?)?;
        if turn == 0 {
            println!("encode_first_instructions {instructions}");
        } else if turn == 2 {
            println!("encode_instructions {instructions}");
            println!("encode_stack_octets {depth}");
        }
        let (mut strings, mut tape) = ([0; STRINGS_MAX], [Node::Close; NODES_MAX]);
        let mut arena = Arena::new(&mut strings);
        let (read, instructions, depth) =
            measured(|| base.decode(number, packet, &mut arena, &mut tape).is_ok());
        read.then_some(())?;
        if turn == 0 {
            println!("decode_first_instructions {instructions}");
        } else if turn == 2 {
            println!("decode_instructions {instructions}");
            println!("decode_stack_octets {depth}");
        }
        board.acknowledge(number);
    }
    Some(())
}

/// A board and base on a clean line: subscription, chats both ways, position, commands, console. The deepest stack below
/// the calls of the endpoint.
fn endpoint(dictionary: &'static Dictionary<'static>) -> Option<()> {
    let store = Store::new(FileFlash::open()?, 4096..flash::SIZE).ok()?;
    let mut start = Stack::default();
    let link = cortex_m::singleton!(: [u8; link_storage_len(MTU)] = [0; link_storage_len(MTU)])?;
    let session = cortex_m::singleton!(: [u8; SESSION_LEN] = [0; SESSION_LEN])?;
    let (link, session): (&'static mut [u8], &'static mut [u8]) = (link, session);
    let mut board: Board = start
        .watch(|| Endpoint::start(&PROVISION, dictionary, store, link, session, 7))
        .ok()?;
    println!("endpoint_start_stack_octets {}", start.deepest());
    board.set_reading(Reading {
        name: "temperature",
        value_milli: 21_500,
        unit: "Cel",
    });
    let mut base = Base::new(dictionary)?;
    let (mut calls, mut console) = (Stack::default(), Stack::default());
    base.say(base::Say::Subscribe);
    talk_all(&mut board, &mut base, &mut calls)?;
    base.say(base::Say::Chat(BODY));
    calls
        .watch(|| block_on(board.chat("romeo@base.example", BODY)))
        .ok()?;
    talk_all(&mut board, &mut base, &mut calls)?;
    let position = Position {
        lat_e7: 593_293_235,
        lon_e7: 180_685_808,
        ..Position::default()
    };
    calls
        .watch(|| block_on(board.set_position(position)))
        .ok()?;
    for say in [
        base::Say::Disco,
        base::Say::Command("read"),
        base::Say::Command("set"),
        base::Say::Long,
    ] {
        base.say(say);
        talk_all(&mut board, &mut base, &mut calls)?;
    }
    println!("endpoint_stack_octets {}", calls.deepest());
    let mut desk = Console::default();
    for line in [
        "to romeo@base.example hello",
        "inbox",
        "who",
        "status",
        "pos 59.3 18.1",
        "say on watch",
    ] {
        console.watch(|| block_on(type_line(&mut desk, &mut board, line)));
        talk_all(&mut board, &mut base, &mut calls)?;
    }
    println!("console_stack_octets {}", console.deepest());
    Some(())
}

/// Types a line at a console nobody listens to.
async fn type_line(desk: &mut Console, board: &mut Board, line: &str) {
    let mut out = [0; ANSWER_MAX];
    for octet in line.bytes().chain(*b"\n") {
        desk.handle_octet(board, octet).await;
        while desk.poll_answer(board, &mut out).await.is_some() {}
    }
}

/// Lets both ends speak until neither has more to say.
fn talk_all(board: &mut Board, base: &mut Base, calls: &mut Stack) -> Option<()> {
    for _ in 0..200 {
        let now = base.now();
        let mut frame = [0; MTU];
        if let Some(len) = base.speak(&mut frame) {
            calls.watch(|| block_on(board.handle_frame(base.now(), frame.get(..len)?)).ok())?;
            continue;
        }
        calls.watch(|| block_on(board.handle_timeout(now))).ok()?;
        let sent = calls
            .watch(|| block_on(board.poll_transmit(now, &mut frame)))
            .ok()?;
        match sent {
            Some(sent) => {
                base.hear(frame.get(..sent.len)?)?;
                board.handle_sent(base.now());
            }
            None if board.is_idle() && base.is_idle() => return Some(()),
            None => base.wait(board.poll_timeout().map(|(at, _)| at)),
        }
        while board.poll_event().is_some() {}
    }
    None
}
