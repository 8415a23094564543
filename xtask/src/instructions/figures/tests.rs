use super::*;

fn figures(costs: &[(&str, u64, f64)]) -> Figures {
    let cost = |&(name, instructions, allocations): &(&str, u64, f64)| {
        (name.to_owned(), Cost { instructions, allocations })
    };
    Figures { made_with: "rustc 1".to_owned(), costs: costs.iter().map(cost).collect() }
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let figures = figures(&[("decode: packet, name", 312, 0.0), ("echo", 4_188, 4.25)]);
    let text = figures.to_string();
    assert_eq!(Figures::parse(&text).expect("it was just written"), figures);
    assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
}

#[test]
fn a_broken_line_is_named() {
    let failure = Figures::parse("12 echo").expect_err("a number is missing");
    assert!(failure.to_string().contains("12 echo"), "{failure}");
}

#[test]
fn five_percent_are_nothing() {
    let comparison = compare(
        &figures(&[("a", 100, 1.0), ("b", 100, 1.0)]),
        &figures(&[("a", 105, 1.0), ("b", 95, 1.0)]),
    );
    assert_eq!(comparison.findings, [""; 0]);
    assert!(!comparison.is_better);
}

#[test]
fn six_percent_are_a_finding() {
    let committed = figures(&[("a", 100, 1.0), ("b", 100, 1.0)]);
    let comparison = compare(&committed, &figures(&[("a", 106, 1.0), ("b", 94, 1.0)]));
    assert_eq!(comparison.findings, ["a: 106 instructions, 6.0 % more than 100"]);
    assert!(comparison.is_better);
}

#[test]
fn an_allocation_is_a_finding() {
    let comparison = compare(&figures(&[("a", 100, 1.0)]), &figures(&[("a", 100, 2.0)]));
    assert_eq!(comparison.findings, ["a: 2.00 allocations, where there were 1.00"]);
}

#[test]
fn an_operation_on_one_side_is_a_finding() {
    let comparison = compare(&figures(&[("a", 1, 0.0)]), &figures(&[("b", 1, 0.0)]));
    assert_eq!(comparison.findings.len(), 2);
}
