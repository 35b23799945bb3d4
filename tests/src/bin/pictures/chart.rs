//! What the pictures have in common. Nothing is painted behind them, and the colours are those that can be read on white and on black.

use plotters::chart::{ChartBuilder, ChartContext, SeriesAnno};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, Color, DrawingArea, PathElement, RGBColor, SVGBackend};
use plotters::style::{IntoFont, TextStyle};

pub(crate) const GREY: RGBColor = RGBColor(128, 128, 128);
pub(crate) const BLUE: RGBColor = RGBColor(59, 130, 246);
pub(crate) const ORANGE: RGBColor = RGBColor(224, 112, 26);

pub(crate) type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
pub(crate) type Chart<'a, 's> =
    ChartContext<'a, SVGBackend<'s>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A picture of this size.
pub(crate) fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>)) -> String {
    let mut text = String::new();
    {
        let area = plotters::drawing::IntoDrawingArea::into_drawing_area(SVGBackend::with_string(
            &mut text, size,
        ));
        draw(&area);
        area.present().expect("a text can be written");
    }
    text
}

pub(crate) fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&GREY)
}

/// Axes from zero, with their names.
pub(crate) fn axes<'a, 's>(
    area: &'a Area<'s>,
    title: &str,
    (x, x_max): (&str, f64),
    (y, y_max): (&str, f64),
) -> Chart<'a, 's> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, font(15))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..x_max, 0.0..y_max)
        .expect("axes can be drawn");
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(6)
        .light_line_style(RGBColor(128, 128, 128).mix(0.0))
        .bold_line_style(GREY.mix(0.25))
        .axis_style(GREY)
        .label_style(font(12))
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()
        .expect("axes can be drawn");
    chart
}

/// A name in the legend.
pub(crate) fn named(series: &mut SeriesAnno<'_, SVGBackend<'_>>, name: &str, color: RGBColor) {
    series
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(3)));
}
