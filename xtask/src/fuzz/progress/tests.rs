use super::Progress;

#[test]
fn the_last_line_counts() {
    let mut progress = Progress::default();
    for line in [
        "INFO: Running with entropic power schedule (0xFF, 100).",
        "#2\tINITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb",
        "#77\tNEW    cov: 25 ft: 31 corp: 2/9b lim: 4 exec/s: 0 rss: 30Mb L: 4/4 MS: 1 CopyPart-",
        "#51781\tDONE   cov: 1345 ft: 4666 corp: 631/47Kb lim: 213 exec/s: 2465 rss: 31Mb",
        "###### Recommended dictionary. ######",
        "stat::number_of_executed_units: 51781",
    ] {
        progress.add_line(line);
    }
    assert_eq!(progress, Progress { executions: 51_781, edges: 1_345, features: 4_666 });
    assert_eq!(progress.to_string(), "51781 executions, coverage 1345 (features 4666)");
}

#[test]
fn several_processes_report_with_a_colon() {
    let mut progress = Progress::default();
    progress.add_line("#9034: cov: 12 ft: 15 corp: 3 exec/s: 4517 oom/timeout/crash: 0/0/0");
    assert_eq!(progress, Progress { executions: 9_034, edges: 12, features: 15 });
}
