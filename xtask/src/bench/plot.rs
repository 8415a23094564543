//! Plots, as SVG that is readable on a light and on a dark page.

use std::fmt::Write as _;

use super::scaling::Delivery;

#[cfg(test)]
mod tests;

/// Some bars side by side.
#[derive(Debug, PartialEq)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) bars: Vec<(&'static str, f64)>,
}

/// Colours that differ in lightness too, for those who do not tell them apart otherwise.
const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.small { font-size: 10px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: #8c959f; stroke-opacity: 0.35; }
.floor { stroke: #57606a; stroke-width: 1.5; }
.s0 { fill: #0969da; stroke: #0969da; }
.s1 { fill: #d1712b; stroke: #d1712b; }
.s2 { fill: #9a8fb8; stroke: #9a8fb8; }
.s3 { fill: #b6bec7; stroke: #b6bec7; }
rect { stroke: none !important; }
polyline { fill: none !important; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .floor { stroke: #c9d1d9; }
  .s0 { fill: #58a6ff; stroke: #58a6ff; }
  .s1 { fill: #f0883e; stroke: #f0883e; }
  .s2 { fill: #8b7fb0; stroke: #8b7fb0; }
  .s3 { fill: #6e7681; stroke: #6e7681; }
}
</style>
";
const SERIES: usize = 4;

fn document(width: f64, height: f64, title: &str, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{STYLE}\
         <text class=\"title\" x=\"12\" y=\"22\">{title}</text>\n{body}</svg>\n"
    )
}

/// Bars from 1, the floor, on a logarithmic scale.
pub(super) fn ratios(groups: &[Group]) -> String {
    const LEFT: f64 = 290.0;
    const WIDTH: f64 = 820.0;
    const TOP: f64 = 76.0;
    const BAR: f64 = 11.0;
    const GAP: f64 = 9.0;
    let largest = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.1).fold(2.0, f64::max);
    let scale = (WIDTH - LEFT - 50.0) / largest.ln();
    let x = |ratio: f64| LEFT + ratio.max(1.0).ln() * scale;
    let height: f64 = groups.iter().map(|group| group.bars.len() as f64 * BAR + GAP).sum();

    let mut body = String::new();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in groups.iter().flat_map(|group| &group.bars) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    legend(&mut body, &names, LEFT);
    for tick in [1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0] {
        if tick > largest {
            break;
        }
        let (x, class) = (x(tick), if tick == 1.0 { "floor" } else { "grid" });
        let _ = writeln!(
            body,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text class=\"small middle\" x=\"{x:.1}\" y=\"{:.1}\">{tick}</text>",
            TOP - 6.0,
            TOP + height,
            TOP - 10.0
        );
    }
    let mut y = TOP;
    for group in groups {
        let middle = y + group.bars.len() as f64 * BAR / 2.0 + 4.0;
        let _ = writeln!(
            body,
            "<text class=\"end\" x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
            LEFT - 10.0,
            group.name
        );
        for (name, ratio) in &group.bars {
            let series = names.iter().position(|known| known == name).unwrap_or_default() % SERIES;
            let end = x(*ratio);
            let _ = writeln!(
                body,
                "<rect class=\"s{series}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
                 <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{ratio:.2}</text>",
                (end - LEFT).max(1.0),
                BAR - 1.0,
                end + 4.0,
                y + BAR - 1.0
            );
            y += BAR;
        }
        y += GAP;
    }
    let title =
        "Processor time of the server, as a multiple of the floor (logarithmic; less is better)";
    document(WIDTH, TOP + height + 8.0, title, &body)
}

fn legend(body: &mut String, names: &[&str], left: f64) {
    for (index, name) in names.iter().enumerate() {
        let x = left + index as f64 * 125.0;
        let series = index % SERIES;
        let _ = writeln!(
            body,
            "<rect class=\"s{series}\" x=\"{x:.1}\" y=\"37\" width=\"10\" height=\"10\"/>\
             <text x=\"{:.1}\" y=\"46\">{name}</text>",
            x + 15.0
        );
    }
}

/// What a delivery costs by the members of its room, logarithmic, from one room alone.
pub(super) fn scaling(deliveries: &[Delivery]) -> String {
    const LEFT: f64 = 60.0;
    const TOP: f64 = 70.0;
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 340.0;
    const BOTTOM: f64 = HEIGHT - 44.0;
    let alone: Vec<&Delivery> =
        deliveries.iter().filter(|delivery| delivery.rooms == 1.0).collect();
    let values = alone.iter().flat_map(|d| [d.cpu_nanoseconds, d.instructions]);
    let step = step(values.fold(10.0, f64::max));
    let y_max = 5.0 * step;
    let decade = |delivery: &&Delivery| delivery.members.log10();
    let first = alone.iter().map(decade).fold(f64::MAX, f64::min);
    let decades = (alone.iter().map(decade).fold(f64::MIN, f64::max) - first).max(1.0);
    let x = |members: f64| LEFT + (WIDTH - LEFT - 30.0) * (members.log10() - first) / decades;
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * value / y_max;

    let mut body = String::new();
    legend(&mut body, &["ns", "instructions"], LEFT);
    for line in 0..=5 {
        let value = f64::from(line) * step;
        let y = y(value);
        let _ = writeln!(
            body,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"small end\" x=\"{:.1}\" y=\"{:.1}\">{value}</text>",
            WIDTH - 30.0,
            LEFT - 6.0,
            y + 3.0
        );
    }
    for delivery in &alone {
        let _ = writeln!(
            body,
            "<text class=\"small middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(delivery.members),
            BOTTOM + 16.0,
            super::render::spaced(delivery.members as u64)
        );
    }
    let _ = writeln!(
        body,
        "<text class=\"middle\" x=\"{:.1}\" y=\"{:.1}\">members of the room</text>",
        f64::midpoint(LEFT, WIDTH),
        HEIGHT - 10.0
    );
    let of_time: fn(&Delivery) -> f64 = |delivery| delivery.cpu_nanoseconds;
    let of_instructions: fn(&Delivery) -> f64 = |delivery| delivery.instructions;
    for (series, value) in [of_time, of_instructions].into_iter().enumerate() {
        let points: Vec<String> =
            alone.iter().map(|d| format!("{:.1},{:.1}", x(d.members), y(value(d)))).collect();
        let _ = writeln!(body, "<polyline class=\"s{series}\" points=\"{}\"/>", points.join(" "));
    }
    document(WIDTH, HEIGHT, "A delivery of a broadcast, in memory", &body)
}

/// A fifth of an axis that reaches `largest`, as a round number.
fn step(largest: f64) -> f64 {
    let fifth = largest / 5.0;
    let magnitude = 10_f64.powf(fifth.log10().floor());
    let round =
        [1.0, 1.5, 2.0, 2.5, 5.0, 10.0].into_iter().find(|round| round * magnitude >= fifth);
    round.unwrap_or(10.0) * magnitude
}
