//! The air does what its URL says.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::modem::{AnyModem, Channel, Modem};

const CHANNEL: Channel = Channel::radio(256, 300, 500);

fn open(url: &str) -> AnyModem {
    AnyModem::open(url, CHANNEL).unwrap()
}

async fn hear(modem: &mut AnyModem) -> Option<Vec<u8>> {
    let mut frame = [0; 2048];
    let heard = timeout(Duration::from_secs(3600), modem.receive(&mut frame)).await;
    heard.ok().map(|len| frame[..len.unwrap()].to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_frame_takes_turnaround_airtime_and_delay() {
    let (mut a, mut b) = (open("air:x?delay=2s"), open("air:x?delay=2s"));
    let start = Instant::now();
    a.transmit(&[7; 30]).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(500 + 800));
    a.transmit(&[8; 30]).await.unwrap();
    assert_eq!(
        start.elapsed(),
        Duration::from_millis(500 + 1600),
        "still keyed"
    );
    assert_eq!(hear(&mut b).await, Some(vec![7; 30]));
    assert_eq!(hear(&mut b).await, Some(vec![8; 30]));
    assert_eq!(start.elapsed(), Duration::from_millis(500 + 1600 + 2000));
    assert_eq!(hear(&mut a).await, None, "nobody hears himself");
}

#[tokio::test(start_paused = true)]
async fn two_at_once_are_heard_by_nobody() {
    let (mut a, mut b, mut c) = (open("air:x"), open("air:x"), open("air:x"));
    let (one, two) = tokio::join!(a.transmit(b"one"), b.transmit(b"two"));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(hear(&mut c).await, None);
    let (mut a, mut b) = (open("air:y?duplex=full"), open("air:y"));
    let (_, _) = tokio::join!(a.transmit(b"one"), b.transmit(b"two"));
    assert_eq!(hear(&mut a).await, Some(b"two".to_vec()));
    assert_eq!(hear(&mut b).await, Some(b"one".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn losses_have_their_share_and_length() {
    let (mut a, mut b) = (open("air:x?loss=0.3&burst=3&seed=7"), open("air:x"));
    let (mut lost, mut runs, mut before) = (0u32, 0u32, false);
    for _ in 0..2000 {
        a.transmit(b"x").await.unwrap();
        let gone = timeout(Duration::from_millis(1), b.receive(&mut [0; 9]))
            .await
            .is_err();
        lost += u32::from(gone);
        runs += u32::from(gone && !before);
        before = gone;
    }
    assert!((500..700).contains(&lost), "{lost} of 2000");
    let mean = f64::from(lost) / f64::from(runs);
    assert!((2.5..3.5).contains(&mean), "runs of {mean}");
}

#[tokio::test(start_paused = true)]
async fn outages_come_and_go() {
    let (mut a, mut b) = (open("air:x?outage=60s&every=10m"), open("air:x"));
    tokio::time::sleep(Duration::from_secs(545)).await;
    a.transmit(b"silence").await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    a.transmit(b"again").await.unwrap();
    assert_eq!(hear(&mut b).await, Some(b"again".to_vec()));
}

#[tokio::test]
async fn processes_share_air_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "air:{}/air.sock?rate=100000&turnaround=1",
        folder.path().display()
    );
    let (mut a, mut b) = (open(&url), open(&url));
    let mut frame = [0; 64];
    // The first to come carries the medium.
    assert!(
        timeout(Duration::from_millis(50), a.receive(&mut frame))
            .await
            .is_err()
    );
    assert!(
        timeout(Duration::from_millis(50), b.receive(&mut frame))
            .await
            .is_err()
    );
    a.transmit(b"one").await.unwrap();
    let len = timeout(Duration::from_secs(5), b.receive(&mut frame))
        .await
        .unwrap();
    assert_eq!(&frame[..len.unwrap()], b"one");
    b.transmit(b"two").await.unwrap();
    let len = timeout(Duration::from_secs(5), a.receive(&mut frame))
        .await
        .unwrap();
    assert_eq!(&frame[..len.unwrap()], b"two");
}
