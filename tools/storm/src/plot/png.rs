//! The PNG image of a plot, for viewers without SVG.

use std::{path::Path, sync::Arc};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::DrawResult;

/// The scale of the image, for high-resolution screens.
const SCALE: f32 = 2.0;

pub(super) fn write(svg: &str, path: &Path) -> DrawResult {
    let options = Options { fontdb: Arc::new(load_fonts()), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or("the plot has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("the plot is too large")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.save_png(path)?;
    Ok(())
}

/// Loads the system's fonts. Without fonts, the image has no text.
fn load_fonts() -> Database {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    let preferred = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];
    let families: Vec<String> = fonts
        .faces()
        .flat_map(|face| face.families.iter().map(|(family, _)| family.clone()))
        .collect();
    let is_available = |name: &&&str| families.iter().any(|family| family == **name);
    let chosen =
        preferred.iter().find(is_available).map(ToString::to_string).or(families.first().cloned());
    if let Some(family) = chosen {
        fonts.set_sans_serif_family(family);
    }
    fonts
}
