//! What a case is, and the packets that several of them use.

use bytes::Bytes;
use serde_json::{Value, json};

/// One loop.
pub(crate) struct Case {
    pub(crate) name: String,
    /// How many iterations suffice for an average: fewer of what takes long.
    pub(crate) iterations: u64,
    /// Prepares the loop, and gives what it repeats.
    prepare: Box<dyn FnOnce() -> Box<dyn FnMut()>>,
}

impl Case {
    /// `prepare` is only called for the case that runs.
    pub(crate) fn new<F: FnMut() + 'static>(
        name: impl Into<String>,
        iterations: u64,
        prepare: impl FnOnce() -> F + 'static,
    ) -> Self {
        Self { name: name.into(), iterations, prepare: Box::new(|| Box::new(prepare())) }
    }

    pub(crate) fn run(self, iterations: u64) {
        let mut repeat = (self.prepare)();
        for _ in 0..iterations {
            repeat();
        }
    }
}

/// A packet on the wire, and what it says.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) event: &'static str,
    pub(crate) ack: Option<u64>,
    pub(crate) text: Bytes,
    pub(crate) attachments: Vec<Bytes>,
    /// Its argument, where that is not the attachment.
    pub(crate) argument: Value,
}

/// The small event, which several cases use.
pub(crate) const SMALL: &str = r#"42["message","hello"]"#;

/// Four typical packets.
pub(crate) fn samples() -> [Sample; 4] {
    let sample = |name, text: String, argument| Sample {
        name,
        namespace: "/",
        event: "message",
        ack: None,
        text: Bytes::from(text),
        attachments: Vec::new(),
        argument,
    };
    let object = object_1k();
    [
        sample("small", SMALL.to_owned(), json!("hello")),
        Sample {
            namespace: "/chat",
            event: "msg",
            ack: Some(12),
            ..sample(
                "ack+namespace",
                r#"42/chat,12["msg",{"n":3,"text":"hi there","user":"ann"}]"#.to_owned(),
                json!({"n": 3, "text": "hi there", "user": "ann"}),
            )
        },
        sample("json 1 KiB", format!(r#"42["message",{object}]"#), object),
        Sample {
            event: "bin",
            attachments: vec![Bytes::from(vec![0xA5; 1024])],
            ..sample(
                "binary 1 KiB",
                r#"451-["bin",{"_placeholder":true,"num":0}]"#.to_owned(),
                Value::Null,
            )
        },
    ]
}

/// An object of 1 KiB: nested, of mixed types, with one escape.
pub(crate) fn object_1k() -> Value {
    let history: Vec<Value> = (0..8_u64)
        .map(|i| json!({"at": 1_718_000_000_000 + i * 60_000, "event": "moved", "by": i * 7}))
        .collect();
    let mut object = json!({
        "id": 918_273_645, "ok": true, "name": "Grace \"Amazing\" Hopper", "ratio": 0.125,
        "none": null, "tags": ["alpha", "beta", "gamma", "delta"],
        "position": {"x": 12.5, "y": -3.25, "z": 1e3}, "history": history, "text": "",
    });
    let missing = 1024 - object.to_string().len();
    let words = "lorem ipsum dolor sit amet ".repeat(40);
    object["text"] = words[..missing].into();
    object
}
