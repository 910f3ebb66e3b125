//! Boards talk through LoRa: the driver of real chips over a model of the chip, the bridge of a modem board in the
//! gateway's framing. Refuses to say anything of silicon: the model is the data sheet's, timing is left out.

#[path = "lora/chip.rs"]
mod chip;

use std::time::Duration;

use chip::{Air, Chip, Pin, Wire};
use embedded_hal_async::delay::DelayNs;
use longwire_codec::lora::Lora;
use longwire_codec::serial::{Deframer, emit, wire_len_max};
use longwire_firmware::bridge;
use longwire_firmware::radio::Radio;
use longwire_firmware::radio::lora::LoRaRadio;
use lora_phy::iv::GenericSx126xInterfaceVariant;
use lora_phy::sx126x::{self, Sx126x, Sx1262, TcxoCtrlVoltage};

type Driver = Sx126x<Chip, GenericSx126xInterfaceVariant<Wire, Pin>, Sx1262>;

/// Tokio's clock; the tests stop it.
#[derive(Clone)]
struct Clock;

impl DelayNs for Clock {
    async fn delay_ns(&mut self, ns: u32) {
        tokio::time::sleep(Duration::from_nanos(ns.into())).await;
    }
}

async fn radio(chip: &Chip, tuned: &str) -> LoRaRadio<Driver, Clock> {
    radio_with(chip, tuned, 1).await
}

/// The same with dice of its own.
async fn radio_with(chip: &Chip, tuned: &str, seed: u64) -> LoRaRadio<Driver, Clock> {
    let pins = GenericSx126xInterfaceVariant::new(Wire, chip.dio1(), Pin::Busy, None, None);
    let config = sx126x::Config {
        chip: Sx1262,
        tcxo_ctrl: Some(TcxoCtrlVoltage::Ctrl1V8),
        use_dcdc: true,
        rx_boost: true,
    };
    let driver = Sx126x::new(chip.clone(), pins.expect("pins"), config);
    let tuned: Lora = tuned.parse().expect("a modulation");
    let radio = LoRaRadio::new(driver, Clock, &tuned, 10, seed).await;
    radio.expect("the chip answers")
}

/// Sends a frame; gives the one that was heard before there was silence.
async fn send(radio: &mut LoRaRadio<Driver, Clock>, frame: &[u8]) -> Vec<u8> {
    let mut heard = [0; 255];
    let len = radio.transmit(frame, &mut heard).await.expect("sent");
    heard[..len].to_vec()
}

const EU: &str = "869.525 MHz, SF9, 125 kHz, 4/5, 14 dBm";

#[tokio::test(start_paused = true)]
async fn a_frame_crosses_and_the_answer_comes_back() {
    let air = Air::default();
    let (here, there) = (air.chip(), air.chip());
    let (mut a, mut b) = (radio(&here, EU).await, radio(&there, EU).await);
    let mut frame = [0; 255];
    for turn in 0..3u8 {
        let said: Vec<u8> = (0..=254).map(|octet: u8| octet ^ turn).collect();
        let heard = {
            let receive = b.receive(&mut frame);
            tokio::pin!(receive);
            // The receiver listens before the sender starts.
            assert!(soon(&mut receive).await.is_none());
            send(&mut a, &said).await;
            receive.await.expect("heard")
        };
        assert_eq!(frame[..heard], said);
        std::mem::swap(&mut a, &mut b);
    }
    assert_eq!(here.frequency_hz(), 869_525_000);
    assert_eq!(here.modulation(), [9, 4, 1, 0], "SF9, 125 kHz, 4/5");
}

/// What the future gives at once, if it does.
async fn soon<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::time::timeout(Duration::from_millis(100), future)
        .await
        .ok()
}

#[tokio::test(start_paused = true)]
async fn stations_tuned_otherwise_hear_nothing() {
    let air = Air::default();
    let here = air.chip();
    let mut a = radio(&here, EU).await;
    for other in [
        "869.4 MHz, SF9, 125 kHz",
        "869.525 MHz, SF10, 125 kHz",
        "869.525 MHz, SF9, 250 kHz",
    ] {
        let there = air.chip();
        let mut b = radio(&there, other).await;
        let mut frame = [0; 255];
        let receive = b.receive(&mut frame);
        tokio::pin!(receive);
        assert!(soon(&mut receive).await.is_none());
        send(&mut a, b"for others").await;
        assert!(soon(&mut receive).await.is_none(), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_modulations_are_optimised_as_the_data_sheet_demands() {
    let chip = Air::default().chip();
    let mut slow = radio(&chip, "433.92 MHz, SF12, 125 kHz, 4/8, 20 dBm").await;
    send(&mut slow, b"slow").await;
    assert_eq!(chip.modulation(), [12, 4, 4, 1]);
    assert_eq!(chip.frequency_hz(), 433_920_000);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_dropped_at_any_moment_hears_the_next_frame() {
    let air = Air::default();
    let (here, there) = (air.chip(), air.chip());
    let (mut a, mut b) = (radio(&here, EU).await, radio(&there, EU).await);
    let mut frame = [0; 255];
    for turn in 0..40u8 {
        let dropped = Duration::from_millis(turn.into());
        let _ = tokio::time::timeout(dropped, b.receive(&mut frame)).await;
        if turn % 2 == 0 {
            send(&mut b, &[turn]).await;
        }
        let receive = b.receive(&mut frame);
        tokio::pin!(receive);
        assert!(soon(&mut receive).await.is_none());
        send(&mut a, &[turn; 30]).await;
        let heard = receive.await.expect("heard");
        assert_eq!((heard, there.sent().len()), (30, usize::from(turn / 2 + 1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_slept_sends_and_hears_again() {
    let air = Air::default();
    let (here, there) = (air.chip(), air.chip());
    let (mut a, mut b) = (radio(&here, EU).await, radio(&there, EU).await);
    let mut frame = [0; 255];
    for turn in 0..4u8 {
        a.sleep().await.expect("asleep");
        if turn % 2 == 0 {
            send(&mut b, b"nobody listens").await;
        }
        {
            let receive = a.receive(&mut frame);
            tokio::pin!(receive);
            assert!(soon(&mut receive).await.is_none(), "slept through it");
            send(&mut b, &[turn]).await;
            assert_eq!(receive.await.expect("heard"), 1);
        }
        a.sleep().await.expect("asleep");
        send(&mut a, &[turn, turn]).await;
        assert_eq!(here.sent().last(), Some(&vec![turn, turn]));
    }
}

/// One sends two frames when another wants to send: it waits, and a third hears all of them, none spoilt. What the second
/// hears meanwhile it gives.
#[tokio::test(start_paused = true)]
async fn two_radios_do_not_talk_over_each_other() {
    let mut kept = 0;
    for late_ms in (60..300).step_by(8) {
        let air = Air::default();
        let chips = [air.chip(), air.chip(), air.chip()];
        let mut a = radio(&chips[0], EU).await;
        let mut b = radio_with(&chips[1], EU, late_ms << 40).await;
        let mut c = radio(&chips[2], EU).await;
        let mut frame = [0; 255];
        let mut heard = Vec::new();
        let listen = async {
            while heard.len() < 3 {
                let len = c.receive(&mut frame).await.expect("heard");
                heard.push(frame[..len].to_vec());
            }
        };
        let early = async {
            send(&mut a, &[1; 200]).await;
            send(&mut a, &[2; 10]).await;
        };
        let late = async {
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
            send(&mut b, &[3; 50]).await
        };
        let all = async { tokio::join!(listen, early, late).2 };
        let done = tokio::time::timeout(Duration::from_secs(20), all).await;
        assert!(done.is_ok(), "{late_ms} ms later: only {}", heard.len());
        let firsts: Vec<u8> = heard.iter().map(|frame| frame[0]).collect();
        assert!(firsts.contains(&1) && firsts.contains(&2) && firsts.contains(&3));
        let meanwhile = done.unwrap_or_default();
        if !meanwhile.is_empty() {
            assert_eq!(meanwhile, [2; 10]);
            kept += 1;
        }
    }
    assert!(kept > 0, "nothing is heard while waiting");
}

/// Noise on the interrupt line, at any moment of looking, sending and listening, is no answer of the chip.
#[tokio::test(start_paused = true)]
async fn an_interrupt_that_says_nothing_changes_nothing() {
    let air = Air::default();
    let (here, there) = (air.chip(), air.chip());
    let (mut a, mut b) = (radio(&here, EU).await, radio(&there, EU).await);
    let mut frame = [0; 255];
    let noise = async {
        loop {
            tokio::time::sleep(Duration::from_millis(7)).await;
            here.disturb();
            there.disturb();
        }
    };
    let talk = async {
        for turn in 1..=20u8 {
            let send = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                send(&mut a, &[turn; 20]).await;
                a.sleep().await.expect("asleep");
            };
            let (heard, ()) = tokio::join!(b.receive(&mut frame), send);
            assert_eq!(frame[..heard.expect("heard")], [turn; 20]);
        }
    };
    tokio::select! {
        () = noise => {}
        () = talk => {}
    }
    assert_eq!(here.sent().len(), 20);
}

/// A carrier that never ends, of somebody else, does not silence a station for ever.
#[tokio::test(start_paused = true)]
async fn a_channel_that_is_never_free_is_not_waited_for() {
    let air = Air::default();
    let (here, there) = (air.chip(), air.chip());
    let (mut a, mut b) = (radio(&here, EU).await, radio(&there, EU).await);
    let babble = async {
        loop {
            send(&mut a, &[0; 255]).await;
        }
    };
    tokio::select! {
        () = babble => {}
        _ = send(&mut b, b"at last") => {}
    }
    assert_eq!(there.sent(), [b"at last"]);
}

#[tokio::test(start_paused = true)]
async fn a_modem_board_carries_the_frames_of_a_gateway() {
    let air = Air::default();
    let (at_base, in_field) = (air.chip(), air.chip());
    let modem = radio(&at_base, EU).await;
    let mut station = radio(&in_field, EU).await;
    let (gateway, board) = tokio::io::duplex(4096);
    let bridge = bridge::run(Serial(board), modem, Clock);
    let exchange = async {
        let (mut from_board, mut to_board) = tokio::io::split(gateway);
        let mut frame = [0; 255];
        let heard = {
            let receive = station.receive(&mut frame);
            tokio::pin!(receive);
            assert!(soon(&mut receive).await.is_none());
            let mut wire = [0; wire_len_max(255)];
            let len = emit(b"from the gateway", &mut wire).expect("room");
            let written = tokio::io::AsyncWriteExt::write_all(&mut to_board, &wire[..len]);
            written.await.expect("open");
            receive.await.expect("heard")
        };
        assert_eq!(frame[..heard], *b"from the gateway");
        // Let the modem listen again before the answer.
        tokio::time::sleep(Duration::from_millis(100)).await;
        send(&mut station, b"from the board").await;
        let mut deframer = Deframer::new([0; wire_len_max(255)]);
        loop {
            let octet = tokio::io::AsyncReadExt::read_u8(&mut from_board)
                .await
                .expect("open");
            if let Some(found) = deframer.push(octet) {
                break assert_eq!(found, b"from the board");
            }
        }
    };
    tokio::select! {
        ended = bridge => panic!("the bridge ended: {ended:?}"),
        () = exchange => {}
    }
}

/// A stream of Tokio's as firmware sees a serial port.
struct Serial<S>(S);

impl<S> embedded_io_async::ErrorType for Serial<S> {
    type Error = std::io::Error;
}

impl<S: tokio::io::AsyncRead + Unpin> embedded_io_async::Read for Serial<S> {
    async fn read(&mut self, octets: &mut [u8]) -> std::io::Result<usize> {
        tokio::io::AsyncReadExt::read(&mut self.0, octets).await
    }
}

impl<S: tokio::io::AsyncWrite + Unpin> embedded_io_async::Write for Serial<S> {
    async fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        tokio::io::AsyncWriteExt::write(&mut self.0, octets).await
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        tokio::io::AsyncWriteExt::flush(&mut self.0).await
    }
}
