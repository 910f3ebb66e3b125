//! Two stations pair, and strangers do not.

use super::*;
use std::vec;

fn identities() -> (Identity, Identity) {
    (
        Identity::generate(1, &[1; 32]),
        Identity::generate(2, &[2; 32]),
    )
}

#[test]
fn three_messages_of_101_bytes_make_one_secret() {
    let (a, b) = identities();
    let (initiator, one) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
    let (responder, two) = Responder::new(&[4; 32], &b, a.public(), one.as_bytes()).unwrap();
    let (three, secret) = initiator.handle_message_2(two.as_bytes()).unwrap();
    assert_eq!(
        responder.handle_message_3(three.as_bytes()).unwrap(),
        secret
    );
    let lens = [one, two, three].map(|message| message.as_bytes().len());
    assert_eq!(lens, [37, 45, 19]);
    assert!(lens.iter().sum::<usize>() <= 101);
    assert_eq!(secret.as_bytes().len(), 32);
}

#[test]
fn a_stranger_is_refused_by_either_end() {
    let (a, b) = identities();
    let stranger = Identity::generate(1, &[9; 32]);
    let (initiator, one) = Initiator::new(&[3; 32], stranger, b.public()).unwrap();
    let (responder, two) = Responder::new(&[4; 32], &b, a.public(), one.as_bytes()).unwrap();
    let (three, _) = initiator.handle_message_2(two.as_bytes()).unwrap();
    assert!(responder.handle_message_3(three.as_bytes()).is_err());
    let stranger = Identity::generate(2, &[9; 32]);
    let (initiator, one) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
    let (_, two) = Responder::new(&[4; 32], &stranger, a.public(), one.as_bytes()).unwrap();
    assert!(initiator.handle_message_2(two.as_bytes()).is_err());
}

#[test]
fn frames_carry_messages_and_noise_is_refused() {
    let (a, b) = identities();
    let (_, one) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
    let mut frame = [0; 60];
    let len = emit(None, 1, &one, &mut frame).unwrap();
    assert_eq!(len, one.as_bytes().len() + FRAME_OVERHEAD);
    assert_eq!(parse(&frame[..len], false), Some((1, one.as_bytes())));
    for len in 0..60 {
        let noise = vec![0x5a; len];
        assert!(Responder::new(&[4; 32], &b, a.public(), &noise).is_err());
    }
}
