//! Handles of a trace's tables. Each is an index into the table of its kind; none is ever reused.

use bincode::{Decode, Encode};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub u32);

        impl $name {
            /// The handle as an index into its table.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

handle!(
    /// A string: a file, a package, a sub's name. Id 0 is the empty string.
    StrId
);
handle!(
    /// A sub, or another thing that runs as one (a required file, a string eval, the main program).
    SubId
);
handle!(
    /// A node of the call tree: one call path.
    NodeId
);
handle!(
    /// A place: a node and the statement (file, line) that runs in it.
    PlaceId
);
