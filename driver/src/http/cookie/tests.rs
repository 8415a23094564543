use super::*;

const SID: &str = "Aabcdefghij0123456-_";

fn header(cookie: &Cookie) -> Option<String> {
    let sid = Sid::parse(SID).unwrap();
    let header = cookie.prepare()?.header(&sid).unwrap();
    Some(header.to_str().unwrap().replace(SID, "SID"))
}

#[test]
fn attributes() {
    let cookie = Cookie::default;
    for (cookie, expected) in [
        (cookie(), "io=SID; Path=/; HttpOnly; SameSite=Lax"),
        (Cookie::new("n").path(Some("/a/")).http_only(false), "n=SID; Path=/a/; SameSite=Lax"),
        (cookie().path(None).same_site(None), "io=SID; HttpOnly"),
        (cookie().same_site(Some(SameSite::Strict)), "io=SID; Path=/; HttpOnly; SameSite=Strict"),
        (
            cookie().same_site(Some(SameSite::None)).secure(true).partitioned(true),
            "io=SID; Path=/; HttpOnly; Secure; Partitioned; SameSite=None",
        ),
        (
            cookie().max_age(Duration::from_millis(3_600_999)).domain("example.com"),
            "io=SID; Max-Age=3600; Domain=example.com; Path=/; HttpOnly; SameSite=Lax",
        ),
    ] {
        assert_eq!(header(&cookie).as_deref(), Some(expected));
    }
}

#[test]
fn nothing_is_smuggled_into_the_header() {
    for cookie in [
        Cookie::new(""),
        Cookie::new("a b"),
        Cookie::new("a=b"),
        Cookie::new("ä"),
        Cookie::default().path(Some("/; Domain=b")),
        Cookie::default().path(Some("/\r\nX: y")),
        Cookie::default().path(Some("")),
        Cookie::default().domain("b;c"),
        Cookie::default().domain("\u{7f}"),
    ] {
        assert_eq!(header(&cookie), None, "{cookie:?}");
    }
}
