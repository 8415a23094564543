use std::fs;
use std::path::Path;

use super::play;

/// What happens in the script of that name, which is written by hand.
fn trace(name: &str) -> String {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/session");
    play(&fs::read(corpus.join(name)).expect("a script")).join("\n")
}

/// If a change to the steps gave the scripts another meaning, they would reach little, and nothing
/// else would tell.
#[test]
fn the_scripts_do_what_their_names_say() {
    for (name, happenings) in [
        (
            "websocket-life",
            &["asks", "AckOutcome { id", r#"[\"all\"]"#, "Closed(TransportClose)"][..],
        ),
        ("polling-life", &["ServerNamespaceDisconnect", "Closed(TransportError)"]),
        ("upgrade", &["3probe", r#"numbered\",2"#, r#"numbered\",0"#, "Closed(TransportClose)"]),
        ("heartbeat", &["Closed(PingTimeout)"]),
        ("too-many-namespaces", &["Closed(ForcedClose)"]),
        ("tight-limits", &["TimedOut", "ConnectRequested"]),
        ("closing-polling", &["Violation(Empty)", "Closed(ForcedClose)"]),
        ("shut-down", &["Closed(ServerShuttingDown)"]),
        ("abandoned", &["Err(Disconnected)", "Closed(TransportError)"]),
        ("overlapping-polls", &["Overlap"]),
        ("attachments-late", &["Violation(IllegalAttachments)"]),
        ("raw-packets", &["Received"]),
        ("close-connection", &["41/a,", "Closed(ForcedClose)"]),
    ] {
        let trace = trace(name);
        for happening in happenings {
            assert!(trace.contains(happening), "{name} without {happening}:\n{trace}");
        }
    }
}
