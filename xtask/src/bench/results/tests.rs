use std::time::Duration;

use super::*;

/// Two rounds of two servers.
pub(in crate::bench) const RUNS: &str = include_str!("fixture.jsonl");

pub(in crate::bench) fn results() -> Results {
    Results::from_runs(RUNS, "2026-11-23".to_owned()).expect("the fixture is valid")
}

#[test]
fn medians_are_taken_over_the_rounds() {
    let results = results();
    assert_eq!(results.rounds(), 3);
    assert_eq!(results.seconds, 1.0);
    assert_eq!(results.get("echo-1", "ours", "cpu_us"), Some(3.0));
    assert_eq!(results.get("echo-1", "ours", "latency_p99_us"), Some(30.0));
    assert_eq!(results.get("echo-1", "raw-tokio", "cpu_us"), Some(2.0));
    assert_eq!(results.get("idle", "ours", "cpu_us"), Some(9.0));
    assert_eq!(results.get("idle", "ours", "bytes_per_connection"), Some(3_000.0));
    assert_eq!(results.get("idle", "ours", "per_second"), None);
    assert_eq!(results.get("echo-1", "node", "cpu_us"), None);
}

#[test]
fn what_is_kept_is_read_again() {
    let results = results();
    let kept = results.to_string();
    assert_eq!(Results::parse(&kept).as_ref(), Some(&results), "{kept}");
}

#[test]
fn a_failed_run_is_no_result() {
    let line = r#"{"case":"rooms","label":"ours","ok":false}"#;
    let failure = Results::from_runs(line, String::new()).expect_err("a message was lost");
    assert_eq!(failure.to_string(), "ours failed in rooms");
}

#[test]
fn days_are_counted_through_leap_years() {
    let day = |days: u64| date(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 86_399));
    assert_eq!(day(0), "1970-01-01");
    assert_eq!(day(11_016), "2000-02-29");
    assert_eq!(day(20_088), "2024-12-31");
    assert_eq!(day(20_089), "2025-01-01");
}
