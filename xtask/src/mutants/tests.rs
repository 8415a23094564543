use super::*;

#[test]
fn what_never_ends_was_noticed_and_what_does_not_compile_does_not_count() {
    let score = Score { caught: 14, timeouts: 3, missed: 3, unviable: 9 };
    assert_eq!(
        score.to_string(),
        "score 85.0 %: 14 caught, 3 never ended, 3 missed; 9 do not compile"
    );
    assert_eq!(Score::default().permille(), 1_000);
}
