use super::*;

#[test]
fn a_profile_is_summed_up() {
    let profile = "\
version: 1
events: Ir
fn=main
cfn=malloc
calls=12 3281
10 400
cfn=free
calls=11 3300
10 300
cfn=realloc@@GLIBC_2.2.5
calls=3 3394
12 100
cfn=_int_malloc
calls=15 1338
cfn=my_malloc
calls=7 1

summary: 123456
totals: 123456
";
    assert_eq!(parse(profile), Some(Counts { instructions: 123_456, allocations: 15 }));
}

#[test]
fn what_is_no_profile_has_no_counts() {
    assert_eq!(parse(""), None);
    assert_eq!(parse("cfn=malloc\ncalls=many\nsummary: 1\n"), None);
}
