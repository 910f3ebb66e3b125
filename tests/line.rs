//! Tests of the emulated line the real-gateway tests stand on: rate, turnaround, loss, order.

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use tests::pty::{Line, Pair};

fn port(pair: &Pair, end: usize) -> File {
    File::options()
        .read(true)
        .write(true)
        .open(&pair.ports[end])
        .expect("port opens")
}

#[test]
fn bytes_arrive_in_order_at_the_rate() {
    let pair = Pair::start(Line::clean(9600, Duration::ZERO));
    let (mut here, mut there) = (port(&pair, 0), port(&pair, 1));
    let sent: Vec<u8> = (0..960_u32).map(|i| (i % 251) as u8).collect();
    let mut got = vec![0; sent.len()];
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| here.write_all(&sent).expect("written"));
        there.read_exact(&mut got).expect("read");
    });
    let took = start.elapsed();
    assert_eq!(got, sent);
    assert!(
        took >= Duration::from_millis(990),
        "a thousand milliseconds of bytes took {took:?}"
    );
    assert!(
        took < Duration::from_millis(2500),
        "a thousand milliseconds of bytes took {took:?}"
    );
    assert_eq!(pair.carried(), [960, 0]);
}

#[test]
fn a_change_of_direction_costs_the_turnaround() {
    let turnaround = Duration::from_millis(300);
    let pair = Pair::start(Line::clean(9600, turnaround));
    let (mut here, mut there) = (port(&pair, 0), port(&pair, 1));
    let mut byte = [0];
    here.write_all(b"?").expect("written");
    there.read_exact(&mut byte).expect("read");
    let start = Instant::now();
    there.write_all(b"!").expect("written");
    here.read_exact(&mut byte).expect("read");
    assert_eq!(byte, *b"!");
    assert!(start.elapsed() >= turnaround, "only {:?}", start.elapsed());
}

#[test]
fn a_lost_transmission_is_lost_whole() {
    let line = Line {
        loss_percent: 100,
        ..Line::clean(115_200, Duration::ZERO)
    };
    let pair = Pair::start(line);
    let mut here = port(&pair, 0);
    here.write_all(&[7; 50]).expect("written");
    let start = Instant::now();
    while pair.carried()[0] < 50 {
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "the line stands still"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let there = port(&pair, 1);
    let waiting = rustix::io::ioctl_fionread(&there).expect("can be asked");
    assert_eq!(waiting, 0, "bytes of a lost transmission arrived");
}
