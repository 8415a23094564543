use super::trees::is_foreign;
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

#[test]
fn a_runtime_in_the_tree_of_another_is_found() {
    let [tokio, smol, async_std] = Runtime::ALL;
    for line in ["mio v1.2.5\tnet", "tokio v1.54.1\tdefault,rt,sync (*)", "hyper-util v0.1.21\t"] {
        assert!(is_foreign(smol, line) && is_foreign(async_std, line), "{line}");
        assert!(!is_foreign(tokio, line), "{line}");
    }
    for line in ["async-io v2.6.0\t", "polling v3.11.0\t (*)"] {
        assert!(is_foreign(tokio, line), "{line}");
        assert!(!is_foreign(smol, line) && !is_foreign(async_std, line), "{line}");
    }
    for runtime in Runtime::ALL {
        assert!(!is_foreign(runtime, "tokio v1.54.1\tdefault,sync"));
    }
}
