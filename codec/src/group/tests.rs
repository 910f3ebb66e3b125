//! What a group does on a table, without air: parity, epochs, requests, forgeries.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::link::PacketNumber;

type Sender = GroupSender<Vec<u8>>;
type Receiver = GroupReceiver<Vec<u8>>;

fn config(data: u8, parity: u8) -> GroupConfig {
    let secret = Secret::new(b"no secret at all").unwrap();
    GroupConfig {
        data,
        parity,
        ..GroupConfig::new(200, secret, 64)
    }
}

fn sender(config: &GroupConfig, epoch: u32) -> Sender {
    GroupSender::new(config.clone(), epoch, vec![0; config.storage_len()]).unwrap()
}

fn receiver(config: &GroupConfig) -> Receiver {
    let resume = GroupResume::default();
    GroupReceiver::new(config.clone(), resume, vec![0; config.storage_len()]).unwrap()
}

fn frames(sender: &mut Sender) -> Vec<Vec<u8>> {
    let mut frame = [0; 64];
    let next = || {
        let len = sender.poll_transmit(&mut frame)?;
        Some(frame[..len].to_vec())
    };
    core::iter::from_fn(next).collect()
}

fn packets(receiver: &mut Receiver) -> Vec<(u32, Vec<u8>)> {
    let mut packet = [0; 2048];
    let next = || {
        let (number, len) = receiver.recv(&mut packet)?;
        receiver.accept(number);
        Some((number.get(), packet[..len].to_vec()))
    };
    core::iter::from_fn(next).collect()
}

fn number(value: u32) -> PacketNumber {
    PacketNumber::new(value)
}

#[test]
fn a_short_packet_costs_six_bytes_and_the_tag() {
    let config = config(8, 0);
    let mut sender = sender(&config, 1);
    sender.push(number(7), b"hello").unwrap();
    let frames = frames(&mut sender);
    assert_eq!(frames[0].len(), 4 + 1 + 1 + 5 + 8);
    let mut receiver = receiver(&config);
    receiver.handle_frame(&frames[0]);
    assert_eq!(packets(&mut receiver), [(7, b"hello".to_vec())]);
}

#[test]
fn any_k_of_k_and_r_segments_give_back_all() {
    let config = config(4, 3);
    let mut sender = sender(&config, 1);
    for i in 0..4u8 {
        sender
            .push(number(i.into()), &vec![i; 10 * usize::from(i)])
            .unwrap();
    }
    let frames = frames(&mut sender);
    assert_eq!(frames.len(), 7);
    for lost in (0u32..128).filter(|lost| lost.count_ones() == 3) {
        let mut receiver = receiver(&config);
        for (i, frame) in frames.iter().enumerate().rev() {
            if lost >> i & 1 == 0 {
                receiver.handle_frame(frame);
            }
        }
        let got = packets(&mut receiver);
        assert_eq!(got.len(), 4, "lost {lost:b}");
        let right = |(i, bytes): &(u32, Vec<u8>)| bytes == &vec![*i as u8; 10 * *i as usize];
        assert!(got.iter().all(right));
    }
}

#[test]
fn a_block_cut_short_has_its_parity_too() {
    let config = config(8, 2);
    let mut sender = sender(&config, 1);
    let long: Vec<u8> = (0..120).collect();
    sender.push(number(300), &long).unwrap();
    sender.flush();
    let first = frames(&mut sender);
    sender.push(number(301), b"next").unwrap();
    sender.flush();
    let second = frames(&mut sender);
    assert_eq!((first.len(), second.len()), (5, 3));
    for (a, b) in (0..5).flat_map(|a| (0..a).map(move |b| (a, b))) {
        let mut receiver = receiver(&config);
        let kept = first.iter().enumerate().filter(|(i, _)| *i != a && *i != b);
        kept.for_each(|(_, frame)| receiver.handle_frame(frame));
        receiver.handle_frame(&second[2]);
        let all = [(300, long.clone()), (301, b"next".to_vec())];
        assert_eq!(packets(&mut receiver), all);
        // Without any parity nobody knows that the block was cut short: asking brings it.
        assert_eq!(receiver.is_lacking(), (a, b) == (4, 3));
        let mut request = [0; GROUP_REQUEST_MAX];
        if let Some(len) = receiver.request(&mut request) {
            assert!(sender.handle_request(&request[..len]));
            let again = frames(&mut sender);
            assert_eq!(again, [first[3].clone()]);
            receiver.handle_frame(&again[0]);
            assert!(!receiver.is_lacking());
        }
    }
}

#[test]
fn what_is_asked_for_by_many_is_sent_once() {
    let config = config(8, 0);
    let mut sender = sender(&config, 1);
    for i in 0..20 {
        sender.push(number(i), b"to all of you").unwrap();
    }
    let all = frames(&mut sender);
    let mut receivers = [receiver(&config), receiver(&config)];
    for (i, frame) in all.iter().enumerate() {
        for (k, receiver) in receivers.iter_mut().enumerate() {
            if i % 5 != k && i != 3 {
                receiver.handle_frame(frame);
            }
        }
    }
    let mut request = [0; GROUP_REQUEST_MAX];
    for receiver in &mut receivers {
        let len = receiver.request(&mut request).unwrap();
        assert!(sender.handle_request(&request[..len]));
    }
    let again = frames(&mut sender);
    assert_eq!(again.len(), 4 + 4 + 1);
    for receiver in &mut receivers {
        again.iter().for_each(|frame| receiver.handle_frame(frame));
        assert_eq!(packets(receiver).len(), 20);
        assert_eq!(receiver.request(&mut request), None);
    }
    assert!(
        again.iter().all(|frame| all.contains(frame)),
        "one nonce, one frame"
    );
    for bad in [&[][..], &[1], &[1, 0], &[2, 0, 0], &[1; 40]] {
        assert!(!sender.handle_request(bad));
    }
    assert!(sender.handle_request(&[1, 255, 255, 255]));
    assert!(sender.is_idle());
    assert_eq!(sender.stats().absent_segments, 9);
}

#[test]
fn a_request_that_nobody_answers_ends() {
    let config = config(8, 0);
    let mut sender = sender(&config, 1);
    sender.push(number(0), b"lost").unwrap();
    sender.push(number(1), b"heard").unwrap();
    let mut receiver = receiver(&config);
    receiver.handle_frame(&frames(&mut sender)[1]);
    let mut request = [0; GROUP_REQUEST_MAX];
    let asked = (0..100).filter(|_| receiver.request(&mut request).is_some());
    assert_eq!(asked.count(), 16);
}

#[test]
fn the_window_moves_on_and_counts_what_it_leaves() {
    let config = config(8, 0);
    let mut sender = sender(&config, 1);
    let mut receiver = receiver(&config);
    for i in 0..300 {
        sender.push(number(i), b"x").unwrap();
        for frame in frames(&mut sender) {
            if i % 100 >= 10 {
                receiver.handle_frame(&frame);
            }
        }
        packets(&mut receiver);
    }
    let stats = receiver.stats();
    assert_eq!((stats.packets_received, stats.expired_segments), (270, 30));
    assert_eq!(stats.passed_numbers, 10);
}

#[test]
fn a_restart_at_either_end_surfaces_nothing_twice() {
    let config = config(4, 2);
    let mut sender = sender(&config, 1);
    sender.push(number(0), b"one").unwrap();
    sender.push(number(1), b"two").unwrap();
    sender.flush();
    let old = frames(&mut sender);
    let mut first = receiver(&config);
    old.iter().for_each(|frame| first.handle_frame(frame));
    let mut packet = [0; 64];
    let (one, _) = first.recv(&mut packet).unwrap();
    let resume = first.resume_with(one);
    let storage = vec![0; config.storage_len()];
    let mut receiver = GroupReceiver::new(config.clone(), resume, storage).unwrap();
    old.iter().for_each(|frame| receiver.handle_frame(frame));
    assert_eq!(packets(&mut receiver), [(1, b"two".to_vec())]);
    assert!(sender.renew(2) && !sender.renew(2));
    sender.push(number(1), b"two").unwrap();
    sender.push(number(2), b"three").unwrap();
    frames(&mut sender)
        .iter()
        .for_each(|frame| receiver.handle_frame(frame));
    assert_eq!(packets(&mut receiver), [(2, b"three".to_vec())]);
    let before = receiver.stats();
    old.iter().for_each(|frame| receiver.handle_frame(frame));
    assert_eq!(packets(&mut receiver), []);
    let refused = receiver.stats().forged_frames - before.forged_frames;
    assert_eq!(refused, old.len() as u64, "an earlier epoch");
}

#[test]
fn unsound_configurations_are_refused() {
    let refused = |config: GroupConfig| GroupSender::new(config, 1, vec![0; 9000]).is_err();
    assert!(refused(config(0, 0)) && refused(config(30, 3)) && !refused(config(30, 2)));
    assert!(refused(GroupConfig {
        tag_len: 5,
        ..config(8, 0)
    }));
    assert!(refused(GroupConfig {
        mtu: 14,
        ..config(8, 0)
    }));
    assert!(refused(GroupConfig {
        window: 15,
        ..config(8, 0)
    }));
    assert!(GroupSender::new(config(8, 0), 1, vec![0; 100]).is_err());
}
