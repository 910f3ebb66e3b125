//! The image that makes a blank board a station: who it is, who it talks to, on which channel, with which key.
//! Written by `longwire pair`, read by the firmware from flash. Refuses an image that is torn or of another version.
//!
//! ```text
//! "LWPI"  version (1 octet)  length of the fields (2 octets)  fields  CRC-16 of all before (2 octets)
//! field:  tag (1 octet)  length (1 octet)  value
//! ```
//!
//! A LoRa modem at the base needs only the modulation: an image for it has no key.
//!
//! Integers are big-endian. A reader skips fields it does not know; key, JID and both stations must be there.

use crate::lora::Lora;
use crate::serial::crc16;

/// Octets that begin an image.
pub const MAGIC: [u8; 4] = *b"LWPI";
/// Version written and read here.
pub const VERSION: u8 = 1;
/// Largest image, octets: one small flash page.
pub const IMAGE_MAX: usize = 256;

const HEADER_LEN: usize = 7;
const CRC_LEN: usize = 2;

const TAG_KEY: u8 = 1;
const TAG_JID: u8 = 2;
const TAG_STATION: u8 = 3;
const TAG_GATEWAY: u8 = 4;
const TAG_CALLSIGN: u8 = 5;
const TAG_TAG_LEN: u8 = 6;
const TAG_MTU: u8 = 7;
const TAG_BIT_RATE: u8 = 8;
const TAG_TURNAROUND: u8 = 9;
const TAG_SHARED: u8 = 10;
const TAG_LORA: u8 = 16;
const TAG_DUTY: u8 = 17;
const TAG_LISTEN: u8 = 18;
/// Fields that must be there, a bit for each.
const NEEDED: u32 = 1 << TAG_KEY | 1 << TAG_JID | 1 << TAG_STATION | 1 << TAG_GATEWAY;

/// What a board is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Provision<'a> {
    /// The key shared with the gateway.
    pub key: [u8; 32],
    /// The board's bare JID.
    pub jid: &'a str,
    /// The board's address on the channel.
    pub station: u8,
    /// The gateway's address on the channel.
    pub gateway: u8,
    /// Call sign: frames are authenticated plain text. Empty: frames are sealed.
    pub callsign: &'a str,
    /// Octets of authentication tag on each frame.
    pub tag_len: u8,
    /// Largest frame, octets.
    pub mtu: u16,
    /// Rate on the air, bit/s.
    pub bit_rate: u32,
    /// From the end of receiving to the first bit sent.
    pub turnaround_ms: u32,
    /// More than two stations use the channel: frames carry addresses.
    pub shared: bool,
    /// How the board's LoRa radio is tuned; `None` where the board knows, or has another radio.
    pub lora: Option<Lora>,
    /// Thousandths of the time that the board may be on the air in an hour; 0: no limit.
    pub duty_permille: u16,
    /// The board listens at least so often, seconds, and sleeps in between; 0: it always listens.
    pub listen_every_s: u16,
}

/// Why an image cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProvisionError {
    /// No image: flash is blank, or holds something else.
    Absent,
    /// An image of another version.
    Version(u8),
    /// Torn or changed.
    Damaged,
    /// A field that must be there is not, or has no sense.
    Incomplete,
    /// The buffer is too small, or a text too long.
    TooLong,
}

impl core::fmt::Display for ProvisionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Absent => f.write_str("no provisioning image"),
            Self::Version(version) => write!(f, "provisioning image of version {version}"),
            Self::Damaged => f.write_str("damaged provisioning image"),
            Self::Incomplete => f.write_str("incomplete provisioning image"),
            Self::TooLong => f.write_str("provisioning image too long"),
        }
    }
}

impl core::error::Error for ProvisionError {}

impl Provision<'static> {
    /// A board alone with its gateway at 1200 bit/s, for tests and measurements: its key is known to everybody.
    pub const EXAMPLE: Self = Self {
        key: *b"no secret, but thirty-two octets",
        jid: "buoy@field.example",
        station: 1,
        gateway: 0,
        callsign: "",
        tag_len: 8,
        mtu: 128,
        bit_rate: 1200,
        turnaround_ms: 100,
        shared: false,
        lora: None,
        duty_permille: 0,
        listen_every_s: 0,
    };
}

impl<'a> Provision<'a> {
    /// Writes the image into `out` and says how long it is; [`IMAGE_MAX`] octets suffice for any JID of 180.
    ///
    /// # Errors
    /// [`ProvisionError::TooLong`].
    pub fn emit(&self, out: &mut [u8]) -> Result<usize, ProvisionError> {
        let mut at = HEADER_LEN;
        let mut field = |tag: u8, value: &[u8]| {
            let len = u8::try_from(value.len()).map_err(|_| ProvisionError::TooLong)?;
            let end = at + 2 + value.len();
            let room = out.get_mut(at..end).ok_or(ProvisionError::TooLong)?;
            let (head, body) = room.split_at_mut(2);
            head.copy_from_slice(&[tag, len]);
            body.copy_from_slice(value);
            at = end;
            Ok(())
        };
        field(TAG_KEY, &self.key)?;
        field(TAG_JID, self.jid.as_bytes())?;
        field(TAG_STATION, &[self.station])?;
        field(TAG_GATEWAY, &[self.gateway])?;
        field(TAG_CALLSIGN, self.callsign.as_bytes())?;
        field(TAG_TAG_LEN, &[self.tag_len])?;
        field(TAG_MTU, &self.mtu.to_be_bytes())?;
        field(TAG_BIT_RATE, &self.bit_rate.to_be_bytes())?;
        field(TAG_TURNAROUND, &self.turnaround_ms.to_be_bytes())?;
        field(TAG_SHARED, &[u8::from(self.shared)])?;
        if let Some(lora) = &self.lora {
            field(TAG_LORA, &lora.octets())?;
        }
        if self.duty_permille > 0 {
            field(TAG_DUTY, &self.duty_permille.to_be_bytes())?;
        }
        if self.listen_every_s > 0 {
            field(TAG_LISTEN, &self.listen_every_s.to_be_bytes())?;
        }
        close(out, at)
    }

    /// Reads the image at the beginning of `image`; what follows it does not matter.
    ///
    /// # Errors
    /// [`ProvisionError`].
    pub fn parse(image: &'a [u8]) -> Result<Self, ProvisionError> {
        let mut rest = open(image)?;
        let mut all = Self {
            key: [0; 32],
            jid: "",
            station: 0,
            gateway: 0,
            callsign: "",
            tag_len: 8,
            mtu: 256,
            bit_rate: 300,
            turnaround_ms: 500,
            shared: false,
            lora: None,
            duty_permille: 0,
            listen_every_s: 0,
        };
        let mut seen = 0;
        while let [tag, len, body @ ..] = rest {
            let (value, after) = body
                .split_at_checked(usize::from(*len))
                .ok_or(ProvisionError::Damaged)?;
            let number = value
                .iter()
                .fold(0u32, |number, octet| number << 8 | u32::from(*octet));
            match *tag {
                TAG_KEY => all.key = fixed(value)?,
                TAG_JID => all.jid = text(value)?,
                TAG_STATION => all.station = number as u8,
                TAG_GATEWAY => all.gateway = number as u8,
                TAG_CALLSIGN => all.callsign = text(value)?,
                TAG_TAG_LEN => all.tag_len = number as u8,
                TAG_MTU => all.mtu = number as u16,
                TAG_BIT_RATE => all.bit_rate = number,
                TAG_TURNAROUND => all.turnaround_ms = number,
                TAG_SHARED => all.shared = number != 0,
                TAG_LORA => all.lora = Some(tuned(value)?),
                TAG_DUTY => all.duty_permille = number as u16,
                TAG_LISTEN => all.listen_every_s = number as u16,
                _ => {}
            }
            seen |= 1u32.checked_shl((*tag).into()).unwrap_or(0);
            rest = after;
        }
        if all.jid.is_empty() || seen & NEEDED != NEEDED {
            return Err(ProvisionError::Incomplete);
        }
        Ok(all)
    }
}

/// Writes the image of a modem, which has a modulation and no key, and says how long it is.
///
/// # Errors
/// [`ProvisionError::TooLong`].
pub fn emit_modem(lora: &Lora, out: &mut [u8]) -> Result<usize, ProvisionError> {
    let end = HEADER_LEN + 2 + Lora::LEN;
    let field = out
        .get_mut(HEADER_LEN..end)
        .ok_or(ProvisionError::TooLong)?;
    field[0] = TAG_LORA;
    field[1] = Lora::LEN as u8;
    field[2..].copy_from_slice(&lora.octets());
    close(out, end)
}

/// The modulation in the image of a modem, or of a board.
///
/// # Errors
/// [`ProvisionError`]; `Incomplete` if there is none.
pub fn parse_modem(image: &[u8]) -> Result<Lora, ProvisionError> {
    let mut rest = open(image)?;
    while let [tag, len, body @ ..] = rest {
        let (value, after) = body
            .split_at_checked(usize::from(*len))
            .ok_or(ProvisionError::Damaged)?;
        if *tag == TAG_LORA {
            return tuned(value);
        }
        rest = after;
    }
    Err(ProvisionError::Incomplete)
}

/// Writes what is around the fields that end at `at`.
fn close(out: &mut [u8], at: usize) -> Result<usize, ProvisionError> {
    let fields_len = u16::try_from(at - HEADER_LEN).map_err(|_| ProvisionError::TooLong)?;
    let (signed, rest) = out.split_at_mut(at);
    signed[..4].copy_from_slice(&MAGIC);
    signed[4] = VERSION;
    signed[5..HEADER_LEN].copy_from_slice(&fields_len.to_be_bytes());
    let room = rest.get_mut(..CRC_LEN).ok_or(ProvisionError::TooLong)?;
    room.copy_from_slice(&crc16(signed).to_be_bytes());
    Ok(at + CRC_LEN)
}

/// The fields of a sound image.
fn open(image: &[u8]) -> Result<&[u8], ProvisionError> {
    let (magic, rest) = image
        .split_first_chunk::<4>()
        .ok_or(ProvisionError::Absent)?;
    if *magic != MAGIC {
        return Err(ProvisionError::Absent);
    }
    let [version, high, low, ..] = *rest else {
        return Err(ProvisionError::Damaged);
    };
    if version != VERSION {
        return Err(ProvisionError::Version(version));
    }
    let end = HEADER_LEN + usize::from(u16::from_be_bytes([high, low]));
    let signed = image.get(..end).ok_or(ProvisionError::Damaged)?;
    let crc = image
        .get(end..end + CRC_LEN)
        .ok_or(ProvisionError::Damaged)?;
    if crc16(signed).to_be_bytes() != *crc {
        return Err(ProvisionError::Damaged);
    }
    Ok(signed.get(HEADER_LEN..).unwrap_or_default())
}

fn tuned(value: &[u8]) -> Result<Lora, ProvisionError> {
    Lora::parse(&fixed(value)?).map_err(|_| ProvisionError::Incomplete)
}

fn text(value: &[u8]) -> Result<&str, ProvisionError> {
    core::str::from_utf8(value).map_err(|_| ProvisionError::Incomplete)
}

fn fixed<const LEN: usize>(value: &[u8]) -> Result<[u8; LEN], ProvisionError> {
    value.try_into().map_err(|_| ProvisionError::Incomplete)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Provision<'_> = Provision {
        station: 9,
        shared: true,
        lora: Some(Lora::EU_869),
        duty_permille: 10,
        listen_every_s: 300,
        ..Provision::EXAMPLE
    };

    #[test]
    fn an_image_tells_a_board_who_it_is() {
        let mut image = [0xff; IMAGE_MAX];
        let len = BOARD.emit(&mut image).unwrap();
        assert!(len < 120);
        assert_eq!(Provision::parse(&image), Ok(BOARD));
        assert_eq!(Provision::parse(&image[..len]), Ok(BOARD));
    }

    #[test]
    fn the_image_of_a_modem_has_the_modulation_and_no_key() {
        let mut image = [0xff; IMAGE_MAX];
        let len = emit_modem(&Lora::EU_869, &mut image).unwrap();
        assert_eq!(parse_modem(&image[..len]), Ok(Lora::EU_869));
        assert_eq!(Provision::parse(&image), Err(ProvisionError::Incomplete));
        BOARD.emit(&mut image).unwrap();
        assert_eq!(parse_modem(&image), Ok(Lora::EU_869));
    }

    #[test]
    fn blank_torn_and_changed_flash_is_refused() {
        let mut image = [0xff; IMAGE_MAX];
        assert_eq!(Provision::parse(&image), Err(ProvisionError::Absent));
        let len = BOARD.emit(&mut image).unwrap();
        for end in 0..len {
            assert!(Provision::parse(&image[..end]).is_err(), "{end}");
        }
        for bit in 0..len * 8 {
            let mut changed = image;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(Provision::parse(&changed).is_err(), "{bit}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let jid = core::str::from_utf8(&[b'a'; 255]).unwrap();
        let long = Provision { jid, ..BOARD };
        assert_eq!(long.emit(&mut [0; IMAGE_MAX]), Err(ProvisionError::TooLong));
        assert_eq!(BOARD.emit(&mut [0; 8]), Err(ProvisionError::TooLong));
    }
}
