//! Our codecs against what the official JavaScript parsers made of a large set of packets: valid,
//! nearly valid and hostile. `tests/vectors/generate.mjs` writes the set and describes its form.
//!
//! Every difference must belong to a class that `docs/deviations.md` has a row for, and each class
//! must come up as often as is written here.

mod vectors {
    pub(crate) mod expected;

    mod engine;
    mod msgpack;
    mod socket;
}

use std::collections::BTreeMap;

const DEVIATIONS: &str = include_str!("../../docs/deviations.md");

/// A class of differences that we want.
#[derive(Debug)]
struct Class {
    /// The first cell of its row in the table of deviations, which gives the reason.
    row: &'static str,
    /// How many vectors show it.
    vectors: usize,
}

/// Counts the differences, which come as a class's row or as what is wrong, and holds the counts
/// against `classes`.
fn check(classes: &[Class], differences: impl Iterator<Item = Result<&'static str, String>>) {
    let mut found = BTreeMap::new();
    let mut unknown = Vec::new();
    for difference in differences {
        match difference {
            Ok(row) => *found.entry(row).or_insert(0) += 1,
            Err(difference) => unknown.push(difference),
        }
    }
    let shown = &unknown[..unknown.len().min(40)];
    assert!(unknown.is_empty(), "{} unknown differences:\n{}", unknown.len(), shown.join("\n"));
    let expected = classes.iter().map(|class| (class.row, class.vectors)).collect();
    assert_eq!(found, expected);
    for class in classes {
        let row = format!("\n| {} |", class.row);
        assert!(DEVIATIONS.contains(&row), "no such row: {}", class.row);
    }
}
