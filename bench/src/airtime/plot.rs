//! Bar charts as SVG, written as text. Refuses everything a chart does not need.

use std::fmt::Write;

const ROW_PX: usize = 22;
const NAME_PX: usize = 300;
const BAR_PX: usize = 520;
const HEAD_PX: usize = 48;

/// A horizontal bar chart: a row per name and value, ours in another colour, the value written at its end.
pub(crate) fn bars(title: &str, unit: &str, rows: &[(String, f64)]) -> String {
    let most = rows
        .iter()
        .map(|row| row.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let (width, height) = (NAME_PX + BAR_PX + 100, HEAD_PX + rows.len() * ROW_PX + 16);
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' font-family='sans-serif' \
         font-size='13'>\n<rect width='100%' height='100%' fill='white'/>\n\
         <text x='12' y='26' font-size='16'>{}, {}</text>\n",
        escape(title),
        escape(unit),
    );
    for (at, (name, value)) in rows.iter().enumerate() {
        let y = HEAD_PX + at * ROW_PX;
        let bar = value / most * BAR_PX as f64;
        let colour = if name.starts_with("Longwire") {
            "#1b6ca8"
        } else {
            "#b8b8b8"
        };
        // Writing to a `String` does not fail.
        let _ = writeln!(
            svg,
            "<text x='{}' y='{}' text-anchor='end'>{}</text>\
             <rect x='{NAME_PX}' y='{y}' width='{bar:.1}' height='{}' fill='{colour}'/>\
             <text x='{:.1}' y='{}'>{value:.2}</text>",
            NAME_PX - 8,
            y + 15,
            escape(name),
            ROW_PX - 5,
            NAME_PX as f64 + bar + 6.0,
            y + 15,
        );
    }
    svg + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
