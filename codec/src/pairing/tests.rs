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
fn three_messages_of_less_than_101_bytes_make_one_secret() {
    let (a, b) = identities();
    let (initiator, one) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
    let (responder, two) = Responder::new(&[4; 32], &b, a.public(), one.as_bytes()).unwrap();
    let (three, secret) = initiator.handle_message_2(two.as_bytes()).unwrap();
    assert_eq!(
        responder.handle_message_3(three.as_bytes()).unwrap(),
        secret
    );
    let lens = [one, two, three].map(|message| message.as_bytes().len());
    assert_eq!(lens, [MESSAGE_1_LEN, MESSAGE_2_LEN, MESSAGE_3_LEN]);
    assert_eq!(lens.iter().sum::<usize>(), 90);
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

/// Half of all numbers are no x coordinate of a point. What follows the point is noise to EDHOC whatever it is.
#[test]
fn noise_of_any_length_is_refused() {
    let (a, b) = identities();
    let (mut answered, mut noise) = (0, vec::Vec::new());
    for byte in 0..40 {
        noise.push(byte);
        let answer = Responder::new(&[4; 32], &b, a.public(), &noise);
        assert!(answer.is_err() || noise.len() == MESSAGE_1_LEN);
        let (initiator, one) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
        assert!(initiator.handle_message_2(&noise).is_err());
        let (responder, _) = Responder::new(&[4; 32], &b, a.public(), one.as_bytes()).unwrap();
        assert!(responder.handle_message_3(&noise).is_err());
        let any = [byte; MESSAGE_2_LEN];
        answered += usize::from(Responder::new(&[4; 32], &b, a.public(), &any[..32]).is_ok());
        let (initiator, _) = Initiator::new(&[3; 32], a.clone(), b.public()).unwrap();
        assert!(initiator.handle_message_2(&any).is_err());
    }
    assert!((10..30).contains(&answered), "{answered} of 40");
}

/// The example of README.md.
#[test]
fn credentials_of_a_secret_are_frozen() {
    let secret: vec::Vec<u8> = (0..32).collect();
    let secret = Secret::new(&secret).unwrap();
    let x = |side| std::format!("{:02x?}", &Identity::derive(&secret, side).public().x[..4]);
    assert_eq!(x(Side::A), "[fb, 51, 4d, c7]");
    assert_eq!(x(Side::B), "[78, 58, 46, 99]");
}
