use super::{Part, compare, parse_list, parse_tree, std_features, table};

const LIST: &str = "\
# A comment.

bytes         linked  shares one buffer
                      # not a comment: a line needs a name
";

const TREE: &str = "\
sansocket-core v0.1.0 (path/of/core)|
bytes v1.12.2|
serde v1.0.229|alloc,derive
serde_derive v1.0.229 (proc-macro)|default
serde v1.0.229|alloc,derive (*)
memchr v2.8.3|alloc,std (*)
";

fn list(lines: &[&str]) -> std::collections::BTreeMap<String, super::Entry> {
    parse_list(&lines.join("\n")).expect("the list of this test is well formed")
}

#[test]
fn a_tree_is_read_with_its_features() {
    let tree = parse_tree(TREE);
    let names: Vec<&str> = tree.keys().map(String::as_str).collect();
    assert_eq!(names, ["bytes", "memchr", "serde", "serde_derive"]);
    assert!(tree["serde"].iter().eq(["alloc", "derive"]));
    assert!(tree["bytes"].is_empty());
}

#[test]
fn a_std_feature_is_found_also_where_the_tree_is_cut_short() {
    let findings = std_features(&parse_tree(TREE));
    assert_eq!(findings, ["sansocket-core links memchr with its feature std"]);
}

#[test]
fn a_list_that_agrees_has_no_findings() {
    let listed = list(&["bytes linked shares buffers", "quote build writes code"]);
    let all = parse_tree("bytes v1|\nquote v1|\n");
    assert!(compare(&listed, &parse_tree("bytes v1|"), &all).is_empty());
}

#[test]
fn every_difference_is_a_finding() {
    let listed = list(&["bytes build wrong part", "gone linked was needed once"]);
    let tree = parse_tree("bytes v1|\nnew v1|\n");
    let findings = compare(&listed, &tree, &tree);
    assert_eq!(findings.len(), 3, "{findings:?}");
    for (finding, words) in findings.iter().zip(["listed as build", "new (linked)", "on gone"]) {
        assert!(finding.contains(words), "{finding}");
    }
}

#[test]
fn a_line_without_a_part_or_a_reason_is_refused() {
    assert!(parse_list(LIST).is_err());
    for line in ["bytes", "bytes linked", "bytes shares buffers", "a linked b\na linked b"] {
        assert!(parse_list(line).is_err(), "{line}");
    }
    let entry = &list(&["bytes   linked   shares  buffers"])["bytes"];
    assert_eq!((entry.part, entry.reason.as_str()), (Part::Linked, "shares buffers"));
}

#[test]
fn the_table_has_a_row_for_each_dependency() {
    let table = table("bytes linked shares buffers\nquote build writes code").expect("well formed");
    assert!(table.ends_with(
        "| `bytes` | the core | shares buffers |\n| `quote` | its build | writes code |\n"
    ));
}
