//! The tables of nodes, places and figures as they were before version 3: column by column. They are only read.

use super::columns::{ascend, Reader};
use super::ids::{NodeId, PlaceId, StrId, SubId};
use super::records::{Figures, Node, NodeFigures, Nodes, Place, PlaceFigures, Places};
use bincode::de::Decoder;
use bincode::error::DecodeError;
use bincode::Decode;

/// A record that was written in columns.
pub(super) struct Old<R>(pub(super) R);

impl<D: Decoder<Context = ()>, R: Default + Copy> Reader<'_, D, R> {
    fn bytes(&mut self, set: impl Fn(&mut R, u64)) -> Result<(), DecodeError> {
        self.column(|row, value| set(row, value.rotate_left(3)))
    }
}

impl Decode<()> for Old<Nodes> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = NodeId::decode(decoder)?;
        let mut columns = Reader::new(decoder, |node: &mut Node, distance| node.parent = NodeId(distance as u32))?;
        columns.id_column(|node, sub| node.sub = SubId(sub))?;
        columns.id_column(|node, file| node.call_file = StrId(file))?;
        columns.id_column(|node, line| node.call_line = line)?;
        let mut nodes = columns.rows;
        for (row, node) in nodes.iter_mut().enumerate() {
            node.parent = NodeId(first.0.wrapping_add(row as u32).wrapping_sub(node.parent.0));
        }
        Ok(Self(Nodes { first, nodes }))
    }
}

impl Decode<()> for Old<Places> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = PlaceId::decode(decoder)?;
        let mut columns = Reader::new(decoder, |place: &mut Place, step| place.node = NodeId(step as u32))?;
        columns.id_column(|place, file| place.file = StrId(file))?;
        columns.id_column(|place, line| place.line = line)?;
        let mut places = columns.rows;
        ascend(&mut places, |place| &mut place.node.0);
        Ok(Self(Places { first, places }))
    }
}

impl Decode<()> for Old<Figures> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let snapshot = u64::decode(decoder)?;
        let mut columns = Reader::new(decoder, |node: &mut NodeFigures, step| node.id = NodeId(step as u32))?;
        columns.column(|node, calls| node.calls = calls)?;
        columns.bytes(|node, bytes| node.freed_bytes = bytes)?;
        columns.column(|node, blocks| node.freed_blocks = blocks)?;
        columns.signed(|node, pages| node.size_pages = pages)?;
        columns.signed(|node, pages| node.resident_pages = pages)?;
        let mut nodes = columns.rows;
        ascend(&mut nodes, |node| &mut node.id.0);
        let mut columns = Reader::new(decoder, |place: &mut PlaceFigures, step| place.id = PlaceId(step as u32))?;
        columns.bytes(|place, bytes| place.allocated_bytes = bytes)?;
        columns.column(|place, blocks| place.allocated_blocks = blocks)?;
        columns.bytes(|place, bytes| place.live_bytes = bytes)?;
        columns.column(|place, blocks| place.live_blocks = blocks)?;
        columns.bytes(|place, more| place.at_peak_bytes = place.live_bytes.wrapping_add(more))?;
        columns.signed(|place, more| place.at_peak_blocks = place.live_blocks.wrapping_add(more as u64))?;
        columns.column(|place, scalars| place.scalars_born = scalars)?;
        columns.column(|place, scalars| place.scalars_died = scalars)?;
        let mut places = columns.rows;
        ascend(&mut places, |place| &mut place.id.0);
        Ok(Self(Figures { snapshot, nodes, places }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::chunk::config;
    use proptest::prelude::*;
    use std::fmt::Debug;

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 0u64..300, 1 => u64::MAX - 2..=u64::MAX, 1 => any::<u64>()]
    }

    /// Rows of so many numbers.
    fn rows<const NUMBERS: usize>() -> impl Strategy<Value = Vec<[u64; NUMBERS]>> {
        prop::collection::vec(prop::array::uniform(number()), 0..50)
    }

    /// A table as the documentation of version 2 says: `code` makes the numbers of a row from those of the row before, and
    /// its own.
    fn columns<const NUMBERS: usize>(
        rows: &[[u64; NUMBERS]],
        code: impl Fn(&[u64; NUMBERS], &[u64; NUMBERS]) -> [u64; NUMBERS],
    ) -> Vec<u64> {
        let befores = std::iter::once(&[0; NUMBERS]).chain(rows);
        let coded: Vec<_> = befores.zip(rows).map(|(before, row)| code(before, row)).collect();
        let mut numbers = vec![rows.len() as u64];
        (0..NUMBERS).for_each(|column| numbers.extend(coded.iter().map(|row| row[column])));
        numbers
    }

    fn signed(number: u64) -> u64 {
        let number = number as i64;
        if number < 0 {
            (-2i64).wrapping_mul(number).wrapping_sub(1) as u64
        } else {
            2 * number as u64
        }
    }

    fn step(before: u64, own: u64) -> u64 {
        u64::from((own as u32).wrapping_sub(before as u32))
    }

    fn reads<T: PartialEq + Debug>(numbers: &[u64], table: T) -> Result<(), TestCaseError>
    where
        Old<T>: Decode<()>,
    {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| bincode::encode_to_vec(n, config()).unwrap()).collect();
        let (read, used): (Old<T>, _) = bincode::decode_from_slice(&bytes, config()).unwrap();
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(read.0, table);
        Ok(())
    }

    proptest! {
        #[test]
        fn nodes_are_read(first in any::<u32>(), rows in rows::<4>()) {
            let numbers = rows.iter().map(|row| row.map(|number| u64::from(number as u32))).collect::<Vec<_>>();
            let ids = (0u32..).map(|row| first.wrapping_add(row));
            let with_distance: Vec<_> =
                numbers.iter().zip(ids).map(|(row, id)| [step(row[0], id.into()), row[1], row[2], row[3]]).collect();
            let coded = [vec![first.into()], columns(&with_distance, |_, row| *row)].concat();
            let nodes = numbers.iter().map(|row| row.map(|number| number as u32)).map(|[parent, sub, file, call_line]| {
                Node { parent: NodeId(parent), sub: SubId(sub), call_file: StrId(file), call_line }
            });
            reads(&coded, Nodes { first: NodeId(first), nodes: nodes.collect() })?;
        }

        #[test]
        fn places_are_read(first in any::<u32>(), rows in rows::<3>()) {
            let numbers = rows.iter().map(|row| row.map(|number| u64::from(number as u32))).collect::<Vec<_>>();
            let code = |before: &[u64; 3], row: &[u64; 3]| [step(before[0], row[0]), row[1], row[2]];
            let coded = [vec![first.into()], columns(&numbers, code)].concat();
            let places = numbers.iter().map(|row| row.map(|number| number as u32)).map(|[node, file, line]| {
                Place { node: NodeId(node), file: StrId(file), line }
            });
            reads(&coded, Places { first: PlaceId(first), places: places.collect() })?;
        }

        #[test]
        fn figures_are_read(snapshot in number(), node_rows in rows::<6>(), place_rows in rows::<9>()) {
            let of_node = |before: &[u64; 6], row: &[u64; 6]| {
                let [id, calls, bytes, blocks, size, resident] = *row;
                [step(before[0], id), calls, bytes.rotate_right(3), blocks, signed(size), signed(resident)]
            };
            let of_place = |before: &[u64; 9], row: &[u64; 9]| {
                let [id, bytes, blocks, live_bytes, live_blocks, peak_bytes, peak_blocks, born, died] = *row;
                let [bytes, live, peak] =
                    [bytes, live_bytes, peak_bytes.wrapping_sub(live_bytes)].map(|bytes| bytes.rotate_right(3));
                let more_blocks = signed(peak_blocks.wrapping_sub(live_blocks));
                [step(before[0], id), bytes, blocks, live, live_blocks, peak, more_blocks, born, died]
            };
            let coded = [vec![snapshot], columns(&node_rows, of_node), columns(&place_rows, of_place)].concat();
            let nodes = node_rows.iter().map(|&[id, calls, freed_bytes, freed_blocks, size, resident]| NodeFigures {
                id: NodeId(id as u32),
                calls,
                freed_bytes,
                freed_blocks,
                size_pages: size as i64,
                resident_pages: resident as i64,
            });
            let places = place_rows.iter().map(|row| PlaceFigures {
                id: PlaceId(row[0] as u32),
                allocated_bytes: row[1],
                allocated_blocks: row[2],
                live_bytes: row[3],
                live_blocks: row[4],
                at_peak_bytes: row[5],
                at_peak_blocks: row[6],
                peak_number: 0,
                scalars_born: row[7],
                scalars_died: row[8],
            });
            reads(&coded, Figures { snapshot, nodes: nodes.collect(), places: places.collect() })?;
        }
    }

    #[test]
    fn a_forged_number_of_rows_costs_no_memory() {
        for rows in [1u64 << 20, (1 << 20) + 1, u64::MAX] {
            let bytes = bincode::encode_to_vec((0u64, rows), config()).unwrap();
            assert!(bincode::decode_from_slice::<Old<Nodes>, _>(&bytes, config()).is_err());
            assert!(bincode::decode_from_slice::<Old<Places>, _>(&bytes, config()).is_err());
            assert!(bincode::decode_from_slice::<Old<Figures>, _>(&bytes, config()).is_err());
        }
    }
}
