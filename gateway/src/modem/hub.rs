//! Simulated air between processes: whoever comes first opens a Unix socket and carries the medium, the others
//! connect. Refuses to be a network: one machine, one folder, whoever may open the socket may listen.
//!
//! On the socket each frame stands behind its length, two octets. When the process that carries the medium ends, the
//! next one to notice takes its place.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;
use tracing::debug;

use super::air::{Medium, Place, Weather};
use super::{Channel, FRAME_MAX};

/// Pause between attempts to connect or bind.
const PAUSE: Duration = Duration::from_millis(100);

/// A station whose medium is behind a socket.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    channel: Channel,
    weather: Weather,
    way: Option<Way>,
}

#[derive(Debug)]
enum Way {
    /// We carry the medium.
    Carrier(Place),
    /// Somebody else does.
    Guest(Guest),
}

#[derive(Debug)]
struct Guest {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    /// Octets read of the frame to come, length included.
    ahead: Vec<u8>,
}

impl Socket {
    pub(super) fn new(path: PathBuf, channel: Channel, weather: Weather) -> Self {
        Self {
            path,
            channel,
            weather,
            way: None,
        }
    }

    pub(super) async fn transmit(&mut self, frame: &[u8]) -> io::Result<()> {
        match self.join().await {
            Way::Carrier(place) => {
                place.transmit(frame).await;
                Ok(())
            }
            Way::Guest(guest) => {
                let mut octets = (frame.len() as u16).to_be_bytes().to_vec();
                octets.extend_from_slice(frame);
                let written = guest.writer.write_all(&octets).await;
                if written.is_err() {
                    self.way = None;
                    return written;
                }
                let keying = Duration::from_millis(self.channel.turnaround_ms.into());
                sleep(keying + Duration::from_millis(self.channel.airtime_ms(frame.len()))).await;
                Ok(())
            }
        }
    }

    pub(super) async fn receive(&mut self, frame: &mut [u8]) -> usize {
        loop {
            let heard = match self.join().await {
                Way::Carrier(place) => return place.receive(frame).await,
                Way::Guest(guest) => read(&mut guest.reader, &mut guest.ahead).await,
            };
            let Ok(heard) = heard else {
                self.way = None;
                continue;
            };
            if let Some(room) = frame.get_mut(..heard.len()) {
                room.copy_from_slice(&heard);
                return heard.len();
            }
        }
    }

    async fn join(&mut self) -> &mut Way {
        while self.way.is_none() {
            self.way = self.try_join().await;
            if self.way.is_none() {
                sleep(PAUSE).await;
            }
        }
        match &mut self.way {
            Some(way) => way,
            None => unreachable!("the loop above ends only with a way"),
        }
    }

    async fn try_join(&self) -> Option<Way> {
        if let Ok(stream) = UnixStream::connect(&self.path).await {
            let (reader, writer) = stream.into_split();
            return Some(Way::Guest(Guest {
                reader,
                writer,
                ahead: Vec::new(),
            }));
        }
        let listener = bind(&self.path)?;
        let medium = Medium::new(self.channel, self.weather);
        let place = medium.join();
        tokio::spawn(carry(listener, Arc::downgrade(&medium)));
        debug!(path = %self.path.display(), "carrying the simulated air");
        Some(Way::Carrier(place))
    }
}

/// Binds where nobody listens; a socket left behind by a dead process is taken away first.
fn bind(path: &Path) -> Option<UnixListener> {
    match UnixListener::bind(path) {
        Ok(listener) => Some(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let refused = std::os::unix::net::UnixStream::connect(path)
                .is_err_and(|it| it.kind() == io::ErrorKind::ConnectionRefused);
            if refused {
                let _ = std::fs::remove_file(path);
            }
            None
        }
        Err(_) => None,
    }
}

/// Gives every guest a place, as long as our own station is on the air.
async fn carry(listener: UnixListener, medium: std::sync::Weak<Medium>) {
    while let Ok((stream, _)) = listener.accept().await {
        let Some(medium) = medium.upgrade() else {
            return;
        };
        let place = medium.join();
        tokio::spawn(host(stream, place));
    }
}

/// Moves frames between one guest's socket and its place, until it hangs up.
async fn host(stream: UnixStream, place: Place) {
    let (mut reader, mut writer) = stream.into_split();
    let talk = async {
        let mut ahead = Vec::new();
        while let Ok(frame) = read(&mut reader, &mut ahead).await {
            place.transmit(&frame).await;
        }
    };
    let listen = async {
        let mut frame = vec![0; FRAME_MAX];
        loop {
            let len = place.receive(&mut frame).await;
            let mut octets = (len as u16).to_be_bytes().to_vec();
            octets.extend_from_slice(&frame[..len]);
            if writer.write_all(&octets).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = talk => {}
        () = listen => {}
    }
}

/// The next frame; what was read of it so far waits in `ahead`, so this is cancel safe.
async fn read(reader: &mut OwnedReadHalf, ahead: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        if let [high, low, rest @ ..] = &ahead[..] {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            if len > FRAME_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if let Some(frame) = rest.get(..len) {
                let frame = frame.to_vec();
                ahead.drain(..2 + len);
                return Ok(frame);
            }
        }
        if reader.read_buf(ahead).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
