use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::http::strict::wire;

const VERSION: &[u8] = br#"{"name":"socket.io-client","version":"4.8.3"}"#;

/// A package in a folder of its own, which goes with it.
struct Installed(PathBuf);

impl Installed {
    fn new(package: Option<&[u8]>, files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sansocket-client-files-{}-{number}", std::process::id());
        let installed = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(installed.dist()).expect("a folder");
        if let Some(package) = package {
            fs::write(installed.0.join("package.json"), package).expect("written");
        }
        for (name, content) in files {
            fs::write(installed.dist().join(name), content).expect("written");
        }
        installed
    }

    fn dist(&self) -> PathBuf {
        self.0.join("dist")
    }

    fn load(&self) -> ClientFiles {
        ClientFiles::from_dir(self.dist()).expect("files")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn typical() -> Installed {
    let files = [
        ("socket.io.js", "script"),
        ("socket.io.js.map", "{}"),
        ("socket.io.esm.min.js", "export"),
        ("secret.js", "secret"),
    ];
    Installed::new(Some(VERSION), &files)
}

fn get(files: &ClientFiles, name: &str) -> Option<Response<Bytes>> {
    files.serve(name, &Method::GET, &HeaderMap::new())
}

#[test]
fn only_listed_files_that_were_there() {
    let files = typical().load();
    for (name, expected) in [
        ("socket.io.js", Some(("script", "application/javascript; charset=utf-8"))),
        ("socket.io.js.map", Some(("{}", "application/json; charset=utf-8"))),
        ("socket.io.esm.min.js", Some(("export", "application/javascript; charset=utf-8"))),
        ("socket.io.min.js", None),
        ("secret.js", None),
        ("", None),
        ("/socket.io.js", None),
        ("./socket.io.js", None),
        ("../dist/socket.io.js", None),
        ("../package.json", None),
        ("socket.io.js/", None),
        ("socket.io.js?v=1", None),
        ("socket%2eio.js", None),
        ("SOCKET.IO.JS", None),
    ] {
        let response = get(&files, name);
        assert_eq!(response.is_some(), expected.is_some(), "{name}");
        if let (Some(response), Some((body, content_type))) = (response, expected) {
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_eq!(response.body(), body, "{name}");
            let header = |name| response.headers().get(name).expect("set").as_bytes();
            assert_eq!(header(CONTENT_TYPE), content_type.as_bytes(), "{name}");
            assert_eq!(header(CACHE_CONTROL), b"public, max-age=0", "{name}");
            assert_eq!(header(ETAG), b"\"4.8.3\"", "{name}");
            assert_eq!(header(CONTENT_LENGTH), body.len().to_string().as_bytes(), "{name}");
            assert_eq!(response.headers().len(), 4, "{name}");
        }
    }
}

#[test]
fn versions_that_a_browser_has() {
    let files = typical().load();
    for (tag, unchanged) in [
        ("\"4.8.3\"", true),
        ("W/\"4.8.3\"", true),
        ("4.8.3", false),
        ("\"4.8.2\"", false),
        ("w/\"4.8.3\"", false),
        ("W/W/\"4.8.3\"", false),
        ("\"4.8.3\", \"4.8.2\"", false),
        ("*", false),
        ("", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static(tag));
        let response = files.serve("socket.io.js", &Method::GET, &headers).expect("a file");
        let expected = if unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        assert_eq!(response.status(), expected, "{tag}");
        if unchanged {
            assert!(response.body().is_empty(), "{tag}");
            let names: Vec<_> = response.headers().keys().collect();
            assert_eq!(names, [CACHE_CONTROL, ETAG], "{tag}");
        }
    }
}

#[test]
fn on_the_wire() {
    let files = typical().load();
    let unchanged = "if-none-match: \"4.8.3\"\r\n";
    for (method, header, status, length, body) in [
        ("GET", "", "200", Some("6"), "script"),
        ("POST", "", "200", Some("6"), "script"),
        ("HEAD", "", "200", Some("6"), ""),
        ("GET", unchanged, "304", None, ""),
        ("HEAD", unchanged, "304", None, ""),
    ] {
        let request = format!("{method} /socket.io.js HTTP/1.1\r\nhost: a\r\n{header}\r\n");
        let outcome = wire::serve(request.as_bytes(), |request| {
            let name = request.uri().path().trim_start_matches('/');
            let response = files.serve(name, request.method(), request.headers());
            async move { response.expect("a file") }
        });
        let case = format!("{method} {header:?}: {}", outcome.sent);
        let (head, sent) = outcome.sent.split_once("\r\n\r\n").expect("a head");
        assert_eq!(&head[9..12], status, "{case}");
        assert_eq!(sent, body, "{case}");
        let lengths: Vec<_> =
            head.lines().filter_map(|line| line.strip_prefix("content-length: ")).collect();
        assert_eq!(lengths, length.into_iter().collect::<Vec<_>>(), "{case}");
        assert!(!outcome.closed, "{case}");
    }
}

#[test]
fn tags_without_a_version() {
    let hash_of_a = "\"af63dc4c8601ec8c\"";
    for package in [
        None,
        Some(&b"not json"[..]),
        Some(br#"{"name":"socket.io-client"}"#),
        Some(br#"{"version":4}"#),
        Some(br#"{"version":""}"#),
        Some(br#"{"version":"4\"8"}"#),
        Some(br#"{"version":"4 8"}"#),
        Some(br#"{"version":"4\n8"}"#),
    ] {
        let files = [("socket.io.js", "a"), ("socket.io.min.js", "b")];
        let files = Installed::new(package, &files).load();
        let tag = |name| get(&files, name).expect("a file").headers()[ETAG].clone();
        assert_eq!(tag("socket.io.js"), hash_of_a, "{package:?}");
        assert_ne!(tag("socket.io.min.js"), hash_of_a, "{package:?}");
    }
}

#[test]
fn folders_without_files() {
    for files in [&[][..], &[("index.js", "x")]] {
        let installed = Installed::new(Some(VERSION), files);
        let error = ClientFiles::from_dir(installed.dist()).expect_err("nothing to serve");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
    let installed = Installed::new(None, &[]);
    let error = ClientFiles::from_dir(installed.dist().join("none")).expect_err("no folder");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn files_that_cannot_be_read() {
    let installed = typical();
    fs::create_dir(installed.dist().join("socket.io.min.js")).expect("a folder");
    let error = ClientFiles::from_dir(installed.dist()).expect_err("a folder is no file");
    assert!(error.to_string().starts_with("socket.io.min.js: "), "{error}");
}

#[test]
fn debug_output_is_short() {
    let text = format!("{:?}", typical().load());
    assert_eq!(text, r#"{"socket.io.js", "socket.io.js.map", "socket.io.esm.min.js"}"#);
}

#[cfg(feature = "compression")]
#[test]
fn they_are_compressed_where_that_is_accepted() {
    use std::io::Read as _;

    let script = "function emit(event) { socket.emit(event); }\n".repeat(100);
    let contents = [("socket.io.js", script.as_str()), ("socket.io.min.js", "a")];
    let files = Installed::new(Some(VERSION), &contents).load();
    let serve = |name, accepted: &'static str, tag: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        if !tag.is_empty() {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(tag));
        }
        files.serve(name, &Method::GET, &headers).expect("it is there")
    };
    let header = |response: &Response<Bytes>, name| {
        response
            .headers()
            .get(name)
            .map(|value: &HeaderValue| value.to_str().expect("text").to_owned())
    };
    let plain = serve("socket.io.js", "br", "");
    assert_eq!(plain.body(), script.as_bytes());
    assert_eq!(header(&plain, CONTENT_ENCODING), None);
    assert_eq!(header(&plain, VARY).as_deref(), Some("accept-encoding"));
    let compressed = serve("socket.io.js", "br, gzip", "");
    assert_eq!(header(&compressed, CONTENT_ENCODING).as_deref(), Some("gzip"));
    assert_eq!(header(&compressed, VARY).as_deref(), Some("accept-encoding"));
    assert_eq!(header(&compressed, ETAG).as_deref(), Some("\"4.8.3-gzip\""));
    assert_eq!(header(&compressed, CONTENT_LENGTH), Some(compressed.body().len().to_string()));
    let mut decoded = String::new();
    flate2::read::GzDecoder::new(&compressed.body()[..])
        .read_to_string(&mut decoded)
        .expect("gzip");
    assert_eq!(decoded, script);
    // A tag is that of the form that would be sent.
    let unchanged = serve("socket.io.js", "gzip", "\"4.8.3-gzip\"");
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(serve("socket.io.js", "gzip", "\"4.8.3\"").status(), StatusCode::OK);
    assert_eq!(serve("socket.io.js", "gzip;q=0", "\"4.8.3\"").status(), StatusCode::NOT_MODIFIED);
    // What does not become smaller stays as it is, for everybody.
    let small = serve("socket.io.min.js", "gzip", "");
    assert_eq!((&small.body()[..], header(&small, VARY)), (&b"a"[..], None));
}
