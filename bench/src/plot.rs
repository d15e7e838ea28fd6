//! How costs grow, drawn: `ferrion-bench plot` makes an SVG of what `ferrion-bench scale` measured.

use std::fmt::Write;
use std::process::ExitCode;

use serde_json::Value;

use crate::work::{Outcome, ensure};

/// One of the diagrams: what grows, from which part of the file.
struct Panel {
    /// What it shows, above it, and what grows, below.
    title: &'static str,
    axis: &'static str,
    /// The key in `scale.json`, and that of the size in its rows.
    key: &'static str,
    size: &'static str,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "time of a message, by its size",
        axis: "octets",
        key: "nanos_a_message_by_size",
        size: "octets",
    },
    Panel {
        title: "time of a message, by links in turn",
        axis: "links",
        key: "nanos_a_message_by_links",
        size: "links",
    },
    Panel {
        title: "time of a message, by what is unsettled",
        axis: "other deliveries unsettled",
        key: "nanos_a_message_by_unsettled",
        size: "unsettled",
    },
];

const WIDTH: f64 = 270.0;
const HEIGHT: f64 = 220.0;
/// Room for titles and numbers around each diagram.
const LEFT: f64 = 58.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const GAP: f64 = 14.0;

/// Draws `scale.json` of the folder `--out` into the file `--to`.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let (mut out, mut to) = (String::from("target/bench"), String::new());
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--out" => out.clone_from(value),
            [name, value] if name == "--to" => to.clone_from(value),
            _ => return Err("usage: ferrion-bench plot [--out FOLDER] [--to FILE]".into()),
        }
    }
    if to.is_empty() {
        to = format!("{out}/scale.svg");
    }
    let text = std::fs::read_to_string(format!("{out}/scale.json"))?;
    std::fs::write(&to, draw(&serde_json::from_str(&text)?)?)?;
    println!("Plot: {to}");
    Ok(ExitCode::SUCCESS)
}

fn draw(measured: &Value) -> Outcome<String> {
    let width = PANELS.len() as f64 * (LEFT + WIDTH + GAP);
    let height = TOP + HEIGHT + BOTTOM;
    let mut svg = String::new();
    writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="#333">
<title>What a message costs, sent, received, accepted and settled, both engines together</title>
<rect width="{width}" height="{height}" fill="#fff"/>"##
    )?;
    for (index, panel) in PANELS.iter().enumerate() {
        let points = points(measured, panel)?;
        let left = LEFT + index as f64 * (LEFT + WIDTH + GAP);
        draw_panel(&mut svg, panel, &points, left)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Sizes and nanoseconds.
fn points(measured: &Value, panel: &Panel) -> Outcome<Vec<(f64, f64)>> {
    let rows = measured[panel.key].as_array();
    let points: Option<Vec<(f64, f64)>> = rows
        .into_iter()
        .flatten()
        .map(|row| Some((row[panel.size].as_f64()?, row["nanos"].as_f64()?)))
        .collect();
    let points = points.unwrap_or_default();
    ensure!(
        points.len() > 1
            && points
                .iter()
                .all(|(size, nanos)| *size >= 1.0 && *nanos > 0.0),
        format!("{} has not been measured", panel.key)
    );
    Ok(points)
}

/// Both axes by powers of ten: a cost that is flat is a level line, one that grows with size a diagonal.
fn draw_panel(svg: &mut String, panel: &Panel, points: &[(f64, f64)], left: f64) -> Outcome<()> {
    let (low_x, high_x) = powers(points.iter().map(|(size, _)| *size), 1);
    let (low_y, high_y) = powers(points.iter().map(|(_, nanos)| *nanos), 2);
    let x = |size: f64| left + (size.log10() - low_x) / (high_x - low_x) * WIDTH;
    let y = |nanos: f64| TOP + HEIGHT - (nanos.log10() - low_y) / (high_y - low_y) * HEIGHT;
    let (right, bottom) = (left + WIDTH, TOP + HEIGHT);
    let middle = left + WIDTH / 2.0;
    for power in steps(low_x, high_x) {
        let (at, below) = (x(10f64.powf(power)), bottom + 16.0);
        writeln!(
            svg,
            r##"<path d="M{at:.1} {TOP}V{bottom}" stroke="#e4e4e4"/><text x="{at:.1}" y="{below}" text-anchor="middle">{}</text>"##,
            count(power)
        )?;
    }
    for power in steps(low_y, high_y) {
        let (at, before) = (y(10f64.powf(power)), left - 6.0);
        writeln!(
            svg,
            r##"<path d="M{left} {at:.1}H{right}" stroke="#e4e4e4"/><text x="{before}" y="{:.1}" text-anchor="end">{}</text>"##,
            at + 4.0,
            time(power)
        )?;
    }
    let line: Vec<String> = points
        .iter()
        .map(|(size, nanos)| format!("{:.1},{:.1}", x(*size), y(*nanos)))
        .collect();
    writeln!(
        svg,
        r##"<polyline points="{}" fill="none" stroke="#b7410e" stroke-width="2"/>"##,
        line.join(" ")
    )?;
    for (size, nanos) in points {
        let (at, level) = (x(*size), y(*nanos));
        let label = if *nanos < 9950.0 {
            format!("{nanos:.0}")
        } else {
            format!("{:.0}k", nanos / 1000.0)
        };
        writeln!(
            svg,
            r##"<circle cx="{at:.1}" cy="{level:.1}" r="3" fill="#b7410e"/><text x="{at:.1}" y="{:.1}" text-anchor="middle" font-size="9">{label}</text>"##,
            level - 8.0
        )?;
    }
    writeln!(
        svg,
        r##"<text x="{middle}" y="{}" text-anchor="middle" font-size="13">{}</text><text x="{middle}" y="{}" text-anchor="middle">{}</text>"##,
        TOP - 14.0,
        panel.title,
        bottom + 34.0,
        panel.axis
    )?;
    Ok(())
}

/// The powers of ten around all of the values, at least so many apart.
fn powers(values: impl Iterator<Item = f64>, apart: i32) -> (f64, f64) {
    let logs: Vec<f64> = values.map(f64::log10).collect();
    let low = logs.iter().copied().fold(f64::MAX, f64::min).floor();
    let high = logs.iter().copied().fold(f64::MIN, f64::max).ceil();
    (low, high.max(low + f64::from(apart)))
}

fn steps(low: f64, high: f64) -> impl Iterator<Item = f64> {
    (low as i32..=high as i32).map(f64::from)
}

/// A power of ten as a number.
fn count(power: f64) -> String {
    match power as i32 {
        power @ ..3 => format!("{}", 10u32.pow(power.max(0) as u32)),
        power @ 3..6 => format!("{}k", 10u32.pow(power as u32 - 3)),
        power => format!("{}M", 10u32.pow((power as u32 - 6).min(9))),
    }
}

/// A power of ten as a time, in nanoseconds.
fn time(power: f64) -> String {
    let unit = ["ns", "us", "ms", "s"];
    let power = power.max(0.0) as usize;
    let unit = unit.get(power / 3).copied().unwrap_or("ks");
    format!("{} {unit}", 10u32.pow(power as u32 % 3))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PANELS, draw};

    #[test]
    fn each_measured_size_is_a_point() {
        let rows =
            |size: &str| json!([{ size: 1, "nanos": 200.0 }, { size: 10_000, "nanos": 250.0 }]);
        let measured = json!({
            "nanos_a_message_by_size": rows("octets"),
            "nanos_a_message_by_links": rows("links"),
            "nanos_a_message_by_unsettled": rows("unsettled"),
        });
        let svg = draw(&measured).expect("all of it is measured");
        assert_eq!(svg.matches("<circle").count(), 6);
        assert_eq!(svg.matches("<polyline").count(), 3);
        for panel in PANELS {
            for text in [panel.title, panel.axis] {
                assert_eq!(svg.matches(&format!(">{text}<")).count(), 1, "{text}");
            }
        }
    }

    #[test]
    fn what_is_not_measured_is_named() {
        let error = draw(&json!({})).expect_err("nothing is measured");
        assert!(error.to_string().contains("nanos_a_message_by_size"));
    }
}
