use super::super::results::tests::results;
use super::*;

#[test]
fn the_readme_has_times_and_ratios() {
    let table = figures(&results());
    let expected = "\
| operation, µs | sansocket | socketioxide 0.18 | raw-tokio | sansocket / raw-tokio | sansocket / socketioxide |
| --- | ---: | ---: | ---: | ---: | ---: |
| acknowledged echo, 1 in flight | 3.00 | 6.00 | 2.00 | 1.50 | 0.50 |
| a heartbeat | 9.00 | – | 4.50 | 2.00 | – |

2026-11-23, ";
    assert!(table.starts_with(expected), "{table}");
    assert!(table.contains("medians of 3 interleaved rounds of 1 s"), "{table}");
    let memory = "idle WebSocket connections: sansocket 3 000, raw-tokio 1 440.";
    assert!(table.ends_with(memory), "{table}");
}

#[test]
fn ratios_are_to_the_floor() {
    let table = ratios(&results());
    assert!(table.contains("| operation | sansocket | socketioxide 0.18 |\n"), "{table}");
    assert!(table.contains("| acknowledged echo, 1 in flight | 1.50 | 3.00 |\n"), "{table}");
}

#[test]
fn a_runtime_that_was_not_measured_has_no_figures() {
    let table = runtimes(&results());
    assert!(table.contains("| acknowledged echo, 1 in flight | 3.00 | – | – |\n"), "{table}");
}

#[test]
fn threads_and_shards_are_read_from_labels() {
    let run = r#"{"case":"rooms","label":"ours-2-8","ok":true,"window":{"units_per_s":123456.7,"latency_us":{"p50":10.4,"p99":2000.6},"seconds":2.5}}"#;
    let results = Results::from_runs(run, String::new()).expect("it is valid");
    let table = threads(&results);
    assert!(table.contains("| delivery in 50 rooms | 2 | 8 | 123 457 | 10 | 2 001 |\n"), "{table}");
}

#[test]
fn bars_are_for_those_who_are_measured() {
    let bars = bars(&results());
    let expected = plot::Group {
        name: "acknowledged echo, 1 in flight",
        bars: vec![("sansocket", 1.5), ("socketioxide 0.18", 3.0)],
    };
    assert_eq!(bars.first(), Some(&expected));
    assert_eq!(bars.len(), 2);
}

#[test]
fn thousands_are_set_apart() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(spaced), ["0", "999", "1 000", "1 234 567"]);
}

#[test]
fn only_what_stands_between_the_comments_is_replaced() {
    let document =
        "a\n<!-- x: written by `cargo xtask bench --render` -->\n\nold\n\n<!-- end of x -->\nb\n";
    let replaced = markers::replace(document, "x", "new\n").expect("it is there");
    assert_eq!(replaced, document.replace("old", "new"));
    assert_eq!(markers::replace(&replaced, "x", "new").expect("it is there"), replaced);
    assert!(markers::replace(document, "y", "new").is_err());
}
