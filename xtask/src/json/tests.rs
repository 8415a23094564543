use super::*;

#[test]
fn members_are_found_by_their_path() {
    let line =
        r#"{"case":"echo-1","ok":true,"none":null,"window":{"cpu_us":4.73,"all":[1,-2.5e1,[]]}}"#;
    let json = Json::parse(line).expect("it is valid");
    assert_eq!(json.text("case"), Some("echo-1"));
    assert_eq!(json.get("ok"), Some(&Json::Bool(true)));
    assert_eq!(json.number("window.cpu_us"), Some(4.73));
    assert_eq!(json.number("window.case"), None);
    let all = [Json::Number(1.0), Json::Number(-25.0), Json::Array(Vec::new())];
    assert_eq!(json.get("window.all"), Some(&Json::Array(all.to_vec())));
}

#[test]
fn strings_are_unescaped() {
    assert_eq!(Json::parse(r#" "a\"b\\\n" "#), Some(Json::Text("a\"b\\\n".to_owned())));
}

#[test]
fn what_is_no_json_is_none() {
    for text in ["", "{", "{\"a\"}", "[1 2]", "1 2", "tru", "\"", "-", "{\"a\":1,}", "\"\\u0041\""]
    {
        assert_eq!(Json::parse(text), None, "{text}");
    }
    assert_eq!(Json::parse(&"[".repeat(1_000)), None);
}
