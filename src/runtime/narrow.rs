//! Figures in one or two bytes, as places and nodes have them until they outgrow that: there are hundreds of thousands of
//! either, and in 49 of 50 little happens.

/// log2 of the bytes of a unit.
const UNIT_BITS: u32 = 3;
const UNIT_MASK: u64 = (1 << UNIT_BITS) - 1;

/// Bytes in units of 8: so are the sizes of blocks.
#[derive(Clone, Copy, Default)]
pub struct Units(pub u16);

impl Units {
    /// So many bytes.
    pub fn bytes(self) -> u64 {
        u64::from(self.0) << UNIT_BITS
    }

    /// With a block of `bytes` more; `None` where that does not fit.
    #[inline]
    pub fn with(self, bytes: u64) -> Option<Self> {
        let units = u64::from(self.0) + (bytes >> UNIT_BITS);
        (units <= u16::MAX.into() && bytes & UNIT_MASK == 0).then_some(Units(units as u16))
    }

    /// Without a block of `bytes` that was counted here.
    #[inline]
    pub fn without(self, bytes: u64) -> Self {
        Units(self.0.wrapping_sub((bytes >> UNIT_BITS) as u16))
    }
}

/// Has what it is of changed since it was last written, and are its figures elsewhere, in full width?
#[derive(Clone, Copy, Default)]
pub struct State(u8);

const CHANGED: u8 = 1;
const BIG: u8 = 2;

impl State {
    /// It changes. Is that the first time since it was last written?
    #[inline]
    pub fn change(&mut self) -> bool {
        let is_first = self.0 & CHANGED == 0;
        if is_first {
            self.0 |= CHANGED;
        }
        is_first
    }

    /// Has it changed since it was last written?
    pub fn has_changed(self) -> bool {
        self.0 & CHANGED != 0
    }

    /// It is written now. Had it changed?
    pub fn write(&mut self) -> bool {
        let had_changed = self.has_changed();
        self.0 &= !CHANGED;
        had_changed
    }

    /// Has it outgrown its bytes?
    #[inline]
    pub fn is_big(self) -> bool {
        self.0 & BIG != 0
    }

    /// It has.
    pub fn outgrow(&mut self) {
        self.0 |= BIG;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let most = u64::from(u16::MAX) << UNIT_BITS;
        assert_eq!(Units::default().with(most).map(Units::bytes), Some(most));
        assert!(Units::default().with(most + 8).is_none());
        assert!(Units::default().with(most - 8).unwrap().with(16).is_none());
        assert!(Units::default().with(25).is_none());
        assert_eq!(Units(5).with(24).unwrap().without(40).bytes(), 24);
    }

    #[test]
    fn a_change_is_the_first_until_it_is_written() {
        let mut state = State::default();
        assert_eq!([state.change(), state.change()], [true, false]);
        state.outgrow();
        assert_eq!([state.write(), state.write()], [true, false]);
        assert_eq!([state.is_big(), state.change()], [true, true]);
    }
}
