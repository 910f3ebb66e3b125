//! Characters written one after the other into a place of fixed size. Refuses to fail: what does not fit is left out,
//! and a value that was cut is not the value it should be.

/// See the module.
pub(crate) struct Line<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Line<'o> {
    /// At the start of `out`.
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Adds ASCII characters.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        for octet in octets {
            if let Some(place) = self.out.get_mut(self.len) {
                *place = *octet;
                self.len += 1;
            }
        }
    }

    /// Adds the last `width` decimal digits of `value`.
    pub(crate) fn digits(&mut self, mut value: u32, width: u32) {
        let end = self.len + width as usize;
        for place in self
            .out
            .get_mut(self.len..end)
            .unwrap_or(&mut [])
            .iter_mut()
            .rev()
        {
            *place = b'0' + (value % 10) as u8;
            value /= 10;
            self.len += 1;
        }
    }

    /// All there is.
    pub(crate) fn written(self) -> &'o [u8] {
        self.out.get(..self.len).unwrap_or(&[])
    }
}
