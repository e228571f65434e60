//! The tables of nodes and places as rows: what is in them is mostly where a statement stands.

use super::ids::{NodeId, PlaceId, StrId, SubId};
use super::numbers::{narrow, number, unzigzag, zigzag, Writer};
use super::records::{Node, Nodes, Place, Places};
use super::rows::{apart, difference, read_rows, read_signed};
use bincode::de::Decoder;
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

#[derive(Clone, Copy, Default)]
struct Statement {
    file: StrId,
    line: u32,
}

/// The statements of a table's rows so far, by which the next row's is guessed: those of a node are mostly of one file, and
/// not far apart.
struct Statements {
    last: Statement,
    /// The last of nodes, by the low bits of their numbers.
    of_nodes: [Option<(NodeId, Statement)>; NODES_REMEMBERED],
}

const NODES_REMEMBERED: usize = 1 << 8;

impl Statements {
    fn new() -> Self {
        Self { last: Statement::default(), of_nodes: [None; NODES_REMEMBERED] }
    }

    #[inline]
    fn guess(&self, node: NodeId) -> Statement {
        match self.of_nodes.get(node.index() % NODES_REMEMBERED) {
            Some(&Some((of, statement))) if of == node => statement,
            _ => self.last,
        }
    }

    #[inline]
    fn note(&mut self, node: NodeId, statement: Statement) {
        self.last = statement;
        if let Some(of_node) = self.of_nodes.get_mut(node.index() % NODES_REMEMBERED) {
            *of_node = Some((node, statement));
        }
    }

    /// Writes a row's head, which says of which node it is, and its statement.
    #[inline]
    fn put<E: Encoder>(&mut self, row: &mut Writer<E>, node_code: u64, node: NodeId, statement: Statement) {
        let guess = self.guess(node);
        self.note(node, statement);
        let is_elsewhere = statement.file != guess.file;
        row.put(2 * node_code + u64::from(is_elsewhere));
        if is_elsewhere {
            row.put(statement.file.0.into());
            row.put(statement.line.into());
        } else {
            row.put_signed(difference(guess.line, statement.line));
        }
    }

    /// Reads them.
    #[inline]
    fn read<D: Decoder<Context = ()>>(
        &mut self,
        decoder: &mut D,
        node: impl FnOnce(u64) -> Result<u32, DecodeError>,
    ) -> Result<(NodeId, Statement), DecodeError> {
        let head = number(decoder)?;
        let node = NodeId(node(head / 2)?);
        let guess = self.guess(node);
        let statement = if head % 2 == 1 {
            Statement { file: StrId(narrow(number(decoder)?)?), line: narrow(number(decoder)?)? }
        } else {
            Statement { file: guess.file, line: apart(guess.line, read_signed(decoder)?)? }
        };
        self.note(node, statement);
        Ok((node, statement))
    }
}

impl Encode for Nodes {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let mut table = Writer::new(encoder);
        table.put(self.first.0.into());
        let mut statements = Statements::new();
        let mut id = self.first.0;
        let mut sub = 0;
        table.put_rows(&self.nodes, |row, node| {
            // A parent is near its child, or at the child's own id for a root: the distance is small.
            let distance = id.wrapping_sub(node.parent.0);
            let call = Statement { file: node.call_file, line: node.call_line };
            statements.put(row, distance.into(), node.parent, call);
            row.put_signed(difference(sub, node.sub.0));
            id = id.wrapping_add(1);
            sub = node.sub.0;
        })?;
        table.finish()
    }
}

impl Decode<()> for Nodes {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = NodeId::decode(decoder)?;
        let mut statements = Statements::new();
        let mut id = first.0;
        let mut sub = 0;
        let nodes = read_rows(decoder, |decoder| {
            let (parent, call) = statements.read(decoder, |distance| Ok(id.wrapping_sub(narrow(distance)?)))?;
            sub = apart(sub, read_signed(decoder)?)?;
            id = id.wrapping_add(1);
            Ok(Node { parent, sub: SubId(sub), call_file: call.file, call_line: call.line })
        })?;
        Ok(Self { first, nodes })
    }
}

impl Encode for Places {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        let mut table = Writer::new(encoder);
        table.put(self.first.0.into());
        let mut statements = Statements::new();
        let mut node = 0;
        table.put_rows(&self.places, |row, place| {
            let step = zigzag(difference(node, place.node.0));
            statements.put(row, step, place.node, Statement { file: place.file, line: place.line });
            node = place.node.0;
        })?;
        table.finish()
    }
}

impl Decode<()> for Places {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let first = PlaceId::decode(decoder)?;
        let mut statements = Statements::new();
        let mut before = 0;
        let places = read_rows(decoder, |decoder| {
            let (node, at) = statements.read(decoder, |step| apart(before, unzigzag(step)))?;
            before = node.0;
            Ok(Place { node, file: at.file, line: at.line })
        })?;
        Ok(Self { first, places })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::{coded, comes_back, decoded, id};
    use super::*;
    use proptest::prelude::*;

    fn nodes() -> impl Strategy<Value = Nodes> {
        let node = (id(), id(), 0u32..4, id()).prop_map(|(parent, sub, call_file, call_line)| Node {
            parent: NodeId(parent),
            sub: SubId(sub),
            call_file: StrId(call_file),
            call_line,
        });
        (id(), prop::collection::vec(node, 0..200)).prop_map(|(first, nodes)| Nodes { first: NodeId(first), nodes })
    }

    fn places() -> impl Strategy<Value = Places> {
        let file = prop_oneof![4 => 0u32..4, 1 => any::<u32>()];
        let place =
            (id(), file, id()).prop_map(|(node, file, line)| Place { node: NodeId(node), file: StrId(file), line });
        (id(), prop::collection::vec(place, 0..200))
            .prop_map(|(first, places)| Places { first: PlaceId(first), places })
    }

    proptest! {
        #[test]
        fn nodes_come_back_as_they_were(nodes in nodes()) {
            comes_back(&nodes)?;
        }

        #[test]
        fn places_come_back_as_they_were(places in places()) {
            comes_back(&places)?;
        }

        #[test]
        fn noise_is_an_error_not_a_panic(noise in prop::collection::vec(prop_oneof![0u8..9, any::<u8>()], 0..300)) {
            let _ = decoded::<Nodes>(&noise);
            let _ = decoded::<Places>(&noise);
        }
    }

    fn node(parent: u32, sub: u32, call_file: u32, call_line: u32) -> Node {
        Node { parent: NodeId(parent), sub: SubId(sub), call_file: StrId(call_file), call_line }
    }

    fn place(node: u32, file: u32, line: u32) -> Place {
        Place { node: NodeId(node), file: StrId(file), line }
    }

    /// The bytes in the format's documentation are these; a change here is a new version of the format.
    #[test]
    fn nodes_are_stored_as_documented() {
        let nodes = Nodes { first: NodeId(5), nodes: vec![node(5, 1, 0, 0), node(5, 3, 7, 20), node(5, 2, 7, 18)] };
        #[rustfmt::skip]
        let bytes = [5, 3,
            0, 0, 2,         // its own parent, where the guess says; 1 sub on
            2 + 1, 7, 20, 4, // 1 from its parent, elsewhere: file 7, line 20; 2 subs on
            4, 3, 1,         // 2 from its parent, in its file 2 lines before; 1 sub back
        ];
        assert_eq!(coded(&nodes), bytes);
    }

    #[test]
    fn a_statement_is_guessed_by_its_node_and_else_by_the_row_before() {
        let all = [place(9, 1, 30), place(10, 2, 50), place(9, 1, 31), place(10 + 256, 1, 33), place(10, 1, 34)];
        #[rustfmt::skip]
        let bytes = [0, 5,
            2 * 18 + 1, 1, 30,     // of a node 9 on, elsewhere
            2 * 2 + 1, 2, 50,      // 1 on, elsewhere
            2, 2,                  // 1 back: where that node was, 1 line on
            251, 4, 4, 4,          // 257 on: where the row before was, 2 lines on
            251, 254, 3, 2,        // 256 back: that node is forgotten, so where the row before was, 1 line on
        ];
        assert_eq!(coded(&Places { first: PlaceId(0), places: all.to_vec() }), bytes);
    }

    #[test]
    fn an_id_a_file_or_a_line_below_0_or_above_2_to_the_32nd_is_refused() {
        for row in [[2 * (1u64 << 32), 0, 0], [1, 1 << 32, 0], [1, 0, 1 << 32], [0, 1, 0], [0, 0, 1], [u64::MAX, 0, 0]]
        {
            assert!(decoded::<Nodes>(&coded(&(0u32, 1u64, row))).is_err(), "{row:?}");
        }
        for row in [[4 * (1u64 << 32), 0, 0], [1, 1 << 32, 0], [1, 0, 1 << 32], [2, 0, 0], [0, 1, 0], [u64::MAX, 0, 0]]
        {
            assert!(decoded::<Places>(&coded(&(0u32, 1u64, row))).is_err(), "{row:?}");
        }
    }

    #[test]
    fn a_forged_number_of_rows_costs_no_memory() {
        for rows in [1u64 << 20, (1 << 20) + 1, u64::MAX] {
            assert!(decoded::<Nodes>(&coded(&(0u32, rows))).is_err());
            assert!(decoded::<Places>(&coded(&(0u32, rows))).is_err());
        }
    }
}
