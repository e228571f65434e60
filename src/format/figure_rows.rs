//! The tables of figures as rows: most of a row's figures are nothing, or what another of them says.

use super::ids::{NodeId, PlaceId};
use super::numbers::{number, Writer};
use super::records::{Figures, NodeFigures, PlaceFigures};
use super::rows::{apart, difference, read_bytes, read_rows, read_signed};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// Choices, each of one out of a few, as one number: the first counts as it is, the next times what that was out of.
struct Head {
    number: u64,
    unit: u64,
}

impl Head {
    fn new() -> Self {
        Self { number: 0, unit: 1 }
    }

    #[inline]
    fn with(self, choice: u64, out_of: u64) -> Self {
        Self { number: self.number + choice * self.unit, unit: self.unit * out_of }
    }

    fn read<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self { number: number(decoder)?, unit: 1 })
    }

    #[inline]
    fn take(&mut self, out_of: u64) -> u64 {
        let choice = self.number % out_of;
        self.number /= out_of;
        choice
    }

    /// The last choice.
    fn take_last(self, out_of: u64) -> Result<u64, DecodeError> {
        if self.number < out_of {
            Ok(self.number)
        } else {
            Err(DecodeError::Other("no head of a row"))
        }
    }
}

/// The choice of a figure, or of a pair of them: it is nothing, or what it mostly is, or stored.
const NOTHING: u64 = 0;
const USUAL: u64 = 1;
const STORED: u64 = 2;

#[inline]
fn choice<T: PartialEq + Default>(value: T, usual: T) -> u64 {
    if value == T::default() {
        NOTHING
    } else if value == usual {
        USUAL
    } else {
        STORED
    }
}

/// The choice of so many blocks of so many bytes: none, one, any number.
#[inline]
fn blocks_choice(bytes: u64, blocks: u64) -> u64 {
    match blocks {
        0 if bytes == 0 => NOTHING,
        1 => USUAL,
        _ => STORED,
    }
}

impl<E: Encoder> Writer<'_, E> {
    /// What the head has chosen of bytes and blocks.
    #[inline]
    fn put_blocks(&mut self, choice: u64, bytes: u64, blocks: u64) {
        if choice == STORED {
            self.put(blocks);
        }
        if choice != NOTHING {
            self.put_bytes(bytes, blocks);
        }
    }
}

/// The bytes and the blocks.
#[inline]
fn read_blocks<D: Decoder<Context = ()>>(decoder: &mut D, choice: u64) -> Result<(u64, u64), DecodeError> {
    let blocks = match choice {
        NOTHING => return Ok((0, 0)),
        USUAL => 1,
        _ => number(decoder)?,
    };
    Ok((read_bytes(decoder, blocks)?, blocks))
}

#[inline]
fn read_chosen<D: Decoder<Context = ()>>(decoder: &mut D, choice: u64, usual: u64) -> Result<u64, DecodeError> {
    match choice {
        NOTHING => Ok(0),
        USUAL => Ok(usual),
        _ => number(decoder),
    }
}

impl Encode for Figures {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let mut table = Writer::new(encoder);
        table.put(self.snapshot);
        let mut id = 0;
        table.put_rows(&self.nodes, |row, node| {
            let step = difference(id, node.id.0);
            id = node.id.0;
            let freed = blocks_choice(node.freed_bytes, node.freed_blocks);
            let pages = (node.size_pages, node.resident_pages);
            let is_once = node.calls == 1;
            let head = Head::new()
                .with((step != 1).into(), 2)
                .with(freed, 3)
                .with((!is_once).into(), 2)
                .with((pages != (0, 0)).into(), 2);
            row.put(head.number);
            if step != 1 {
                row.put_signed(step);
            }
            if !is_once {
                row.put(node.calls);
            }
            row.put_blocks(freed, node.freed_bytes, node.freed_blocks);
            if pages != (0, 0) {
                row.put_signed(pages.0);
                row.put_signed(pages.1);
            }
        })?;
        let mut id = 0;
        table.put_rows(&self.places, |row, place| {
            let step = difference(id, place.id.0);
            id = place.id.0;
            let allocated = blocks_choice(place.allocated_bytes, place.allocated_blocks);
            let lives = (place.live_bytes, place.live_blocks);
            let live = choice(lives, (place.allocated_bytes, place.allocated_blocks));
            let born = choice(place.scalars_born, 1);
            let died = choice(place.scalars_died, place.scalars_born);
            // Mostly what lives now lived at the peak.
            let is_as_live = (place.at_peak_bytes, place.at_peak_blocks) == lives;
            let head = Head::new()
                .with((step != 1).into(), 2)
                .with(live, 3)
                .with(allocated, 3)
                .with(died, 3)
                .with(born, 3)
                .with((!is_as_live).into(), 2);
            row.put(head.number);
            if step != 1 {
                row.put_signed(step);
            }
            row.put_blocks(allocated, place.allocated_bytes, place.allocated_blocks);
            if live == STORED {
                row.put_blocks(live, place.live_bytes, place.live_blocks);
            }
            if !is_as_live {
                let blocks = place.at_peak_blocks.wrapping_sub(place.live_blocks);
                row.put_signed(blocks as i64);
                row.put_bytes(place.at_peak_bytes.wrapping_sub(place.live_bytes), blocks);
            }
            if born == STORED {
                row.put(place.scalars_born);
            }
            if died == STORED {
                row.put(place.scalars_died);
            }
        })?;
        table.finish()
    }
}

impl Decode<()> for Figures {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let snapshot = u64::decode(decoder)?;
        let mut id = 0;
        let nodes = read_rows(decoder, |decoder| {
            let mut head = Head::read(decoder)?;
            let (has_step, freed, has_calls) = (head.take(2) == 1, head.take(3), head.take(2) == 1);
            let has_pages = head.take_last(2)? == 1;
            id = apart(id, if has_step { read_signed(decoder)? } else { 1 })?;
            let calls = if has_calls { number(decoder)? } else { 1 };
            let (freed_bytes, freed_blocks) = read_blocks(decoder, freed)?;
            let (size_pages, resident_pages) =
                if has_pages { (read_signed(decoder)?, read_signed(decoder)?) } else { (0, 0) };
            Ok(NodeFigures { id: NodeId(id), calls, freed_bytes, freed_blocks, size_pages, resident_pages })
        })?;
        let mut id = 0;
        let places = read_rows(decoder, |decoder| {
            let mut head = Head::read(decoder)?;
            let has_step = head.take(2) == 1;
            let (live, allocated, died, born) = (head.take(3), head.take(3), head.take(3), head.take(3));
            let has_peak = head.take_last(2)? == 1;
            id = apart(id, if has_step { read_signed(decoder)? } else { 1 })?;
            let allocated = read_blocks(decoder, allocated)?;
            let live = match live {
                USUAL => allocated,
                choice => read_blocks(decoder, choice)?,
            };
            let mut at_peak = live;
            if has_peak {
                let blocks = read_signed(decoder)? as u64;
                let bytes = read_bytes(decoder, blocks)?;
                at_peak = (live.0.wrapping_add(bytes), live.1.wrapping_add(blocks));
            }
            let scalars_born = read_chosen(decoder, born, 1)?;
            let scalars_died = read_chosen(decoder, died, scalars_born)?;
            Ok(PlaceFigures {
                id: PlaceId(id),
                allocated_bytes: allocated.0,
                allocated_blocks: allocated.1,
                live_bytes: live.0,
                live_blocks: live.1,
                at_peak_bytes: at_peak.0,
                at_peak_blocks: at_peak.1,
                peak_number: 0,
                scalars_born,
                scalars_died,
            })
        })?;
        Ok(Self { snapshot, nodes, places })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::{coded, comes_back, decoded, id};
    use super::*;
    use proptest::prelude::*;

    fn figure() -> impl Strategy<Value = u64> {
        prop_oneof![6 => 0u64..3, 2 => (0u64..99).prop_map(|n| 8 * n), 1 => u64::MAX - 2..=u64::MAX, 1 => any::<u64>()]
    }

    fn pages() -> impl Strategy<Value = i64> {
        prop_oneof![6 => -2i64..3, 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => any::<i64>()]
    }

    fn figures() -> impl Strategy<Value = Figures> {
        let node = (id(), figure(), figure(), figure(), pages(), pages()).prop_map(
            |(id, calls, freed_bytes, freed_blocks, size_pages, resident_pages)| NodeFigures {
                id: NodeId(id),
                calls,
                freed_bytes,
                freed_blocks,
                size_pages,
                resident_pages,
            },
        );
        let blocks = || (figure(), figure());
        let place = (id(), blocks(), blocks(), blocks(), figure(), figure()).prop_map(
            |(id, allocated, live, at_peak, scalars_born, scalars_died)| PlaceFigures {
                id: PlaceId(id),
                allocated_bytes: allocated.0,
                allocated_blocks: allocated.1,
                live_bytes: live.0,
                live_blocks: live.1,
                at_peak_bytes: at_peak.0,
                at_peak_blocks: at_peak.1,
                peak_number: 0,
                scalars_born,
                scalars_died,
            },
        );
        (figure(), prop::collection::vec(node, 0..100), prop::collection::vec(place, 0..100))
            .prop_map(|(snapshot, nodes, places)| Figures { snapshot, nodes, places })
    }

    proptest! {
        #[test]
        fn figures_come_back_as_they_were(figures in figures()) {
            comes_back(&figures)?;
        }

        #[test]
        fn noise_is_an_error_not_a_panic(noise in prop::collection::vec(prop_oneof![0u8..9, any::<u8>()], 0..300)) {
            let _ = decoded::<Figures>(&noise);
        }
    }

    /// The bytes in the format's documentation are these; a change here is a new version of the format.
    #[test]
    fn figures_are_stored_as_documented() {
        let nodes = vec![
            NodeFigures { id: NodeId(1), calls: 1, ..Default::default() },
            NodeFigures {
                id: NodeId(4),
                calls: 9,
                freed_bytes: 24 + 40,
                freed_blocks: 2,
                size_pages: -1,
                resident_pages: 1,
            },
        ];
        let places = vec![
            PlaceFigures {
                id: PlaceId(1),
                allocated_bytes: 40,
                allocated_blocks: 1,
                live_bytes: 40,
                live_blocks: 1,
                at_peak_bytes: 40,
                at_peak_blocks: 1,
                scalars_born: 1,
                scalars_died: 1,
                ..Default::default()
            },
            PlaceFigures {
                id: PlaceId(3),
                allocated_bytes: 96,
                allocated_blocks: 4,
                live_bytes: 24,
                live_blocks: 1,
                scalars_born: 5,
                scalars_died: 4,
                ..Default::default()
            },
        ];
        #[rustfmt::skip]
        let bytes = [0, 2,
            0,                                           // the next node, called once
            1 + 2 * 2 + 6 + 12, 6, 9, 2, 2, 1, 2,        // 3 on, 9 calls, 2 blocks of 16 bytes beyond 48, -1 and 1 pages
            2,
            2 + 6 + 18 + 54, 2,                          // the next place: a block of 16 bytes beyond 24, a dead scalar
            251, 67, 1, 4,                               // 1 + 2 * (2 + 3 * 2 + 9 * 2 + 27 * 2 + 81); 2 on
            4, 0, 1, 0, 1, 0, 5, 4,                      // 4 blocks of 24, 1 of them lives, -1 at the peak; 5 and 4 scalars
        ];
        assert_eq!(coded(&Figures { snapshot: 0, nodes, places }), bytes);
    }

    #[test]
    fn a_head_that_no_row_has_is_refused() {
        let nodes = |head: u64| decoded::<Figures>(&coded(&(0u64, 1u64, head, [0u64; 9])));
        assert!(nodes(23).is_ok());
        assert!(nodes(24).is_err());
        let places = |head: u64| decoded::<Figures>(&coded(&(0u64, 0u64, 1u64, head, [0u64; 9])));
        assert!(places(323).is_ok());
        assert!(places(324).is_err());
    }

    #[test]
    fn a_forged_number_of_rows_costs_no_memory() {
        for rows in [1u64 << 20, (1 << 20) + 1, u64::MAX] {
            assert!(decoded::<Figures>(&coded(&(0u64, rows))).is_err());
        }
        let most = Figures { places: vec![PlaceFigures::default(); 1 << 20], ..Figures::default() };
        assert_eq!(decoded::<Figures>(&coded(&most)).unwrap(), most);
    }
}
