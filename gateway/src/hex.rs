//! Octets as hexadecimal digits. Refuses odd lengths and anything that is no digit.

/// Lower-case digits, two per octet.
pub fn emit(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .collect()
}

/// Octets from digits of either case; spaces between octets are let through.
pub fn parse(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_octets() {
        assert_eq!(emit(&[0, 0x8c, 0xff]), "008cff");
        assert_eq!(parse("00 8C ff"), Some(vec![0, 0x8c, 0xff]));
        assert_eq!(parse("0"), None);
        assert_eq!(parse("zz"), None);
    }
}
