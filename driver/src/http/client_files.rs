//! The client library for browsers, served beside the server itself.

use std::path::Path;
use std::{fmt, fs, io};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;

use crate::key_map::fnv1a;

const SCRIPT: &str = "application/javascript; charset=utf-8";
const SOURCE_MAP: &str = "application/json; charset=utf-8";

/// All names that can exist, with their types. Nothing else in the folder is ever read.
const NAMES: [(&str, &str); 8] = [
    ("socket.io.js", SCRIPT),
    ("socket.io.js.map", SOURCE_MAP),
    ("socket.io.min.js", SCRIPT),
    ("socket.io.min.js.map", SOURCE_MAP),
    ("socket.io.msgpack.min.js", SCRIPT),
    ("socket.io.msgpack.min.js.map", SOURCE_MAP),
    ("socket.io.esm.min.js", SCRIPT),
    ("socket.io.esm.min.js.map", SOURCE_MAP),
];

/// The bundles of the official JavaScript client, so that a page can load
/// `/socket.io/socket.io.js` from the server that it then connects to.
///
/// They are read once, from the `dist` folder of an installed `socket.io-client` package, and kept
/// in memory: about 1 MB with the source maps. Requests cannot name any other file. With the feature
/// `compression` they are kept in gzip too, some 0.3 MB more, for clients that accept that.
#[derive(Clone)]
pub struct ClientFiles {
    files: Vec<File>,
}

#[derive(Clone)]
struct File {
    name: &'static str,
    content_type: &'static str,
    content: Bytes,
    etag: HeaderValue,
    /// The same in gzip, which has a tag of its own (RFC 9110 section 8.8.3.3).
    #[cfg(feature = "compression")]
    gzip: Option<(Bytes, HeaderValue)>,
}

/// The part of `package.json` that matters here.
#[derive(Deserialize)]
struct Package {
    version: String,
}

impl ClientFiles {
    /// Reads the bundles that are in a folder, usually `node_modules/socket.io-client/dist`. Blocks
    /// until they are read.
    ///
    /// They may be some or all of `socket.io.js`, `socket.io.min.js`, `socket.io.msgpack.min.js`
    /// and `socket.io.esm.min.js`, each with its `.map`. Browsers know the version that they have
    /// by the `version` in the `package.json` beside the folder, or else by a hash of each file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none of them, and whatever keeps one that
    /// is there from being read.
    pub fn from_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let version = package_etag(path);
        let mut files = Vec::new();
        for (name, content_type) in NAMES {
            let content = match fs::read(path.join(name)) {
                Ok(content) => Bytes::from(content),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io::Error::new(error.kind(), format!("{name}: {error}"))),
            };
            let etag = version.clone().unwrap_or_else(|| content_etag(&content));
            files.push(File::new(name, content_type, content, etag));
        }
        if files.is_empty() {
            let message = format!("no bundle of socket.io-client in {}", path.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Ok(Self { files })
    }

    /// Answers a request for one of the files, whichever method it has, as the reference does;
    /// `None` if it is for something else.
    ///
    /// `name` is what follows the server's path and its slash in the request's path, as it came: it
    /// is not decoded, and the query is not part of it. (The reference lets any character stand in
    /// the place of the slash.)
    pub(crate) fn serve(
        &self,
        name: &str,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<Response<Bytes>> {
        let file = self.files.iter().find(|file| file.name == name)?;
        let form = file.form(headers);
        let unchanged = headers.get(IF_NONE_MATCH).is_some_and(|value| form.is_version(value));
        Some(if unchanged { file.not_modified(&form) } else { file.response(&form, method) })
    }
}

impl fmt::Debug for ClientFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.iter().map(|file| file.name)).finish()
    }
}

/// What one client is sent of a file.
struct Form {
    content: Bytes,
    etag: HeaderValue,
    is_gzip: bool,
}

impl Form {
    /// Whether a browser has the file already. Only a single tag is understood, which is what
    /// browsers send; it may have become a weak one on its way (RFC 9110 section 8.8.3).
    fn is_version(&self, value: &HeaderValue) -> bool {
        let tag = value.as_bytes();
        tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes()
    }
}

impl File {
    fn new(
        name: &'static str,
        content_type: &'static str,
        content: Bytes,
        etag: HeaderValue,
    ) -> Self {
        #[cfg(feature = "compression")]
        let gzip = super::compression::gzip(&content).and_then(|content| {
            let tag = etag.to_str().ok()?.strip_suffix('"')?;
            Some((content, HeaderValue::try_from(format!("{tag}-gzip\"")).ok()?))
        });
        Self {
            name,
            content_type,
            content,
            etag,
            #[cfg(feature = "compression")]
            gzip,
        }
    }

    fn form(&self, request: &HeaderMap) -> Form {
        #[cfg(feature = "compression")]
        if let Some((content, etag)) = &self.gzip
            && super::compression::accepts_gzip(request)
        {
            return Form { content: content.clone(), etag: etag.clone(), is_gzip: true };
        }
        #[cfg(not(feature = "compression"))]
        let _ = request;
        Form { content: self.content.clone(), etag: self.etag.clone(), is_gzip: false }
    }

    /// Whether what is sent depends on what the client accepts.
    fn varies(&self) -> bool {
        #[cfg(feature = "compression")]
        return self.gzip.is_some();
        #[cfg(not(feature = "compression"))]
        false
    }

    fn response(&self, form: &Form, method: &Method) -> Response<Bytes> {
        let body = if *method == Method::HEAD { Bytes::new() } else { form.content.clone() };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        self.set_validators(form, headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if form.is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // Said aloud, or the response to HEAD would announce the length of its own empty body.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(form.content.len()));
        response
    }

    fn not_modified(&self, form: &Form) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        self.set_validators(form, response.headers_mut());
        response
    }

    /// What a 304 repeats of the 200 (RFC 9110 section 15.4.5).
    fn set_validators(&self, form: &Form, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=0"));
        headers.insert(ETAG, form.etag.clone());
        if self.varies() {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
    }
}

/// The package's version as an entity tag, if there is one that can be such.
fn package_etag(path: &Path) -> Option<HeaderValue> {
    let package = fs::read(path.join("../package.json")).ok()?;
    let version = serde_json::from_slice::<Package>(&package).ok()?.version;
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    if version.is_empty() || !version.bytes().all(plain) {
        return None;
    }
    HeaderValue::try_from(format!("\"{version}\"")).ok()
}

/// The same on every machine and from one start to the next, which is all that is asked of it.
fn content_etag(content: &[u8]) -> HeaderValue {
    let hash = fnv1a(content);
    // Digits and quotation marks always make a header value; the alternative is never used.
    HeaderValue::try_from(format!("\"{hash:016x}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

#[cfg(test)]
mod tests;
