//! Characters written one before the other into a place of fixed size, as numbers are: from their ends. Refuses to fail:
//! what does not fit is left out, and a value that was cut is not the value it should be.

/// See the module.
pub(crate) struct Line<'o> {
    out: &'o mut [u8],
    start: usize,
}

impl<'o> Line<'o> {
    /// At the end of `out`.
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// Puts ASCII characters before what is there.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        for octet in octets.iter().rev() {
            self.put(*octet);
        }
    }

    /// Puts the last `width` decimal digits of `value` before what is there.
    pub(crate) fn digits(&mut self, mut value: u32, width: u32) {
        for _ in 0..width {
            self.put(b'0' + (value % 10) as u8);
            value /= 10;
        }
    }

    fn put(&mut self, octet: u8) {
        let start = self.start.wrapping_sub(1);
        if let Some(place) = self.out.get_mut(start) {
            *place = octet;
            self.start = start;
        }
    }

    /// All there is.
    pub(crate) fn written(self) -> &'o [u8] {
        self.out.get(self.start..).unwrap_or(&[])
    }
}
