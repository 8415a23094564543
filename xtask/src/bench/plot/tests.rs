use super::*;

#[test]
fn each_bar_is_drawn_with_its_number() {
    let groups = [
        Group { name: "echo", bars: vec![("ours", 1.25), ("theirs", 20.0)] },
        Group { name: "rooms", bars: vec![("ours", 0.9)] },
    ];
    let svg = ratios(&groups);
    // Two of the legend and three bars.
    assert_eq!(svg.matches("<rect").count(), 5);
    for text in [">1.25<", ">20.00<", ">0.90<", ">echo<", ">rooms<", ">theirs<"] {
        assert!(svg.contains(text), "{text} is missing: {svg}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("\"-"), "{svg}");
}

#[test]
fn a_line_has_a_point_for_each_size() {
    let delivery =
        |members, rooms| Delivery { members, rooms, cpu_nanoseconds: 100.0, instructions: 400.0 };
    let svg = scaling(&[delivery(10.0, 1.0), delivery(1_000.0, 1.0), delivery(10.0, 100.0)]);
    assert_eq!(svg.matches("<polyline").count(), 2);
    assert!(svg.contains(">1 000<") && svg.contains(">400<"), "{svg}");
}

#[test]
fn axes_end_at_round_numbers() {
    assert_eq!([10.0, 11.0, 449.0, 500.0, 501.0].map(step), [2.0, 2.5, 100.0, 100.0, 150.0]);
}
