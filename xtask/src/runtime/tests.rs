use super::*;

#[test]
fn a_runtime_is_known_by_its_name() {
    for runtime in Runtime::ALL {
        assert_eq!(Runtime::from_name(&runtime.to_string()).ok(), Some(runtime));
    }
    assert!(Runtime::from_name("Tokio").is_err());
}

#[test]
fn programs_are_named_after_their_runtimes() {
    let names = Runtime::ALL.map(|runtime| runtime.binary("chat"));
    assert_eq!(names, ["chat", "chat-smol", "chat-async-std"]);
}
