//! The AX.25 UI frame around ours, because TNCs such as Dire Wolf drop what has no addresses. Refuses everything of
//! AX.25 beyond that: no digipeaters, no connected mode.

/// Two addresses, control and protocol octet (AX.25 2.2 section 3).
pub(super) const HEADER_LEN: usize = 16;
/// Unnumbered information.
const CONTROL_UI: u8 = 0x03;
/// No layer 3.
const PID_NONE: u8 = 0xf0;

/// Source and destination, ready to be put in front.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ax25 {
    header: [u8; HEADER_LEN],
}

impl Ax25 {
    /// From `SOURCE>DESTINATION`, each a call sign of up to six letters or digits and an optional `-SSID`.
    pub fn parse(text: &str) -> Option<Self> {
        let (source, destination) = text.split_once('>')?;
        let mut header = [0; HEADER_LEN];
        header[..7].copy_from_slice(&address(destination, 0x80)?);
        header[7..14].copy_from_slice(&address(source, 0x01)?);
        header[14] = CONTROL_UI;
        header[15] = PID_NONE;
        Some(Self { header })
    }

    /// Octets to put in front of a frame.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// What a UI frame from anybody to anybody carries; the seal tells ours from others'.
    pub fn open(frame: &[u8]) -> Option<&[u8]> {
        let control = 1 + frame.iter().position(|octet| octet & 1 == 1)?;
        let whole = control % 7 == 0 && frame.get(control) == Some(&CONTROL_UI);
        let ours = whole && frame.get(control + 1) == Some(&PID_NONE);
        if ours { frame.get(control + 2..) } else { None }
    }
}

/// Six shifted characters and the SSID octet with `flags` (command bit, end of addresses).
fn address(text: &str, flags: u8) -> Option<[u8; 7]> {
    let (call, ssid) = text.split_once('-').unwrap_or((text, "0"));
    let ssid: u8 = ssid.parse().ok().filter(|it| *it < 16)?;
    let valid = call.bytes().all(|it| it.is_ascii_alphanumeric());
    if call.is_empty() || call.len() > 6 || !valid {
        return None;
    }
    let mut octets = [b' ' << 1; 7];
    for (octet, letter) in octets.iter_mut().zip(call.bytes()) {
        *octet = letter.to_ascii_uppercase() << 1;
    }
    octets[6] = 0x60 | ssid << 1 | flags;
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_in_and_comes_out() {
        let ax25 = Ax25::parse("n0a-1>N0B").expect("two call signs");
        let out = [ax25.header(), b"\x00\xffhello"].concat();
        assert_eq!(out.len(), HEADER_LEN + 7);
        assert_eq!(&out[..7], [0x9c, 0x60, 0x84, 0x40, 0x40, 0x40, 0xe0]);
        assert_eq!(Ax25::open(&out), Some(&b"\x00\xffhello"[..]));
    }

    #[test]
    fn what_is_no_ui_frame_is_left_alone() {
        for other in [&b""[..], b"x", b"hello world, no addresses here", &[0; 40]] {
            assert_eq!(Ax25::open(other), None);
        }
    }

    #[test]
    fn only_call_signs_are_call_signs() {
        for wrong in ["N0A", ">", "N0A>", "TOOLONGX>N0B", "N0A-16>N0B", "N0A>N B"] {
            assert_eq!(Ax25::parse(wrong), None, "{wrong}");
        }
    }
}
