//! Tensors as images, pixel by pixel.

use candle_core::{DType, Device, Tensor};
use neptune_candle::{ErrorKind, ImageLayout, PixelRange, image, image_grid};
use neptune_core::Image;

use crate::Folder;

#[test]
fn wrong_shapes_are_refused_by_what_was_expected_and_given() {
    let refused = |result: neptune_candle::Result<Image>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(
        refused(image(&zeros(&[4, 5]), ImageLayout::Chw, PixelRange::Unit)),
        "an image of this layout has the shape [channels, height, width], not [4, 5]"
    );
    assert_eq!(
        refused(image(&zeros(&[1, 4, 5]), ImageLayout::Hw, PixelRange::Unit)),
        "an image of this layout has the shape [height, width], not [1, 4, 5]"
    );
    assert_eq!(
        refused(image(&zeros(&[32, 48, 3]), ImageLayout::Chw, PixelRange::Unit)),
        "an image has 1, 3 or 4 channels, not 32; is [32, 48, 3] of another layout?"
    );
    assert_eq!(
        refused(image_grid(&zeros(&[8, 8, 1]), 3, PixelRange::Unit)),
        "a grid takes the shape [count, channels, height, width], not [8, 8, 1]"
    );
    assert_eq!(
        refused(image_grid(&zeros(&[0, 1, 8, 8]), 3, PixelRange::Unit)),
        "a grid takes an image and a column at least, not 0 and 3"
    );
    let whole = Tensor::zeros((2, 2), DType::I64, &Device::Cpu).unwrap();
    assert_eq!(
        refused(image(&whole, ImageLayout::Hw, PixelRange::Byte)),
        "pixels are u8 or floats, not i64; convert them with `to_dtype`"
    );
}

/// An image of one channel.
fn grey(rows: &[&[u8]]) -> Image {
    Image::from_u8(&rows.concat(), rows.len(), rows[0].len(), 1).unwrap()
}

#[test]
fn every_layout_and_type_gives_the_pixels_of_the_tensor() {
    let device = &Device::Cpu;
    // Two rows of three pixels; of each channel, then of each pixel.
    let red_green_blue =
        Tensor::new(&[[[1_u8, 2, 3], [4, 5, 6]], [[11, 12, 13], [14, 15, 16]], [[21, 22, 23], [24, 25, 26]]], device)
            .unwrap();
    let expected =
        Image::from_u8(&[1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24, 5, 15, 25, 6, 16, 26], 2, 3, 3).unwrap();
    let by_pixel = red_green_blue.permute((1, 2, 0)).unwrap();
    assert_eq!(image(&red_green_blue, ImageLayout::Chw, PixelRange::Byte).unwrap(), expected);
    assert_eq!(image(&by_pixel, ImageLayout::Hwc, PixelRange::Byte).unwrap(), expected);
    let floats = red_green_blue.to_dtype(DType::F32).unwrap();
    assert_eq!(image(&floats, ImageLayout::Chw, PixelRange::Byte).unwrap(), expected);
    let unit = (floats.to_dtype(DType::F64).unwrap() / 255.0).unwrap();
    assert_eq!(image(&unit, ImageLayout::Chw, PixelRange::Unit).unwrap(), expected);

    let mask = Tensor::new(&[[0_f32, 1.0], [-3.0, 7.0], [f32::NAN, 0.5]], device).unwrap();
    assert_eq!(image(&mask, ImageLayout::Hw, PixelRange::Unit).unwrap(), grey(&[&[0, 255], &[0, 255], &[0, 128]]));
    let bytes = Tensor::new(&[[7_u8, 8]], device).unwrap();
    assert_eq!(
        image(&bytes, ImageLayout::Hw, PixelRange::Unit).unwrap(),
        grey(&[&[7, 8]]),
        "u8 is bytes, whatever is said"
    );
    let half = mask.to_dtype(DType::BF16).unwrap().t().unwrap();
    assert_eq!(image(&half, ImageLayout::Hw, PixelRange::Unit).unwrap(), grey(&[&[0, 0, 0], &[255, 255, 128]]));
}

#[test]
fn a_grid_has_its_images_row_by_row_with_black_around() {
    let images = Tensor::new(&[[[[1_u8, 2]]], [[[3, 4]]], [[[5, 6]]]], &Device::Cpu).unwrap();
    let expected = grey(&[
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 1, 2, 0, 0, 3, 4, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 5, 6, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
    assert_eq!(image_grid(&images, 2, PixelRange::Byte).unwrap(), expected);
    let floats = (images.to_dtype(DType::F32).unwrap() / 255.0).unwrap();
    assert_eq!(image_grid(&floats, 2, PixelRange::Unit).unwrap(), expected);

    let row = image_grid(&images, 100, PixelRange::Byte).unwrap();
    assert_eq!(row, image_grid(&images, 3, PixelRange::Byte).unwrap(), "no more columns than images");
}

#[test]
fn an_image_of_a_grid_keeps_its_channels_and_its_rows() {
    // Of one image, the grid is the image with a border.
    let pixels = Tensor::arange(1_u8, 19, &Device::Cpu).unwrap().reshape((1, 3, 3, 2)).unwrap();
    let padded = pixels.pad_with_zeros(2, 2, 2).unwrap().pad_with_zeros(3, 2, 2).unwrap().squeeze(0).unwrap();
    assert_eq!(
        image_grid(&pixels, 1, PixelRange::Byte).unwrap(),
        image(&padded, ImageLayout::Chw, PixelRange::Byte).unwrap()
    );
}

#[test]
fn an_image_is_logged() {
    let folder = Folder::new();
    let experiment = folder.start();
    let tensor = Tensor::zeros((1, 4, 6), DType::F32, &Device::Cpu).unwrap();
    let logged = image(&tensor, ImageLayout::Chw, PixelRange::Unit).unwrap().name("nothing");
    experiment.log_image_at("samples", 3, logged);
    let images = experiment.series::<Image>("logs/samples").unwrap().all().unwrap();
    assert_eq!((images[0].step, images[0].value.width, images[0].value.height), (3.0, 6, 4));
    assert_eq!(images[0].value.name.as_deref(), Some("nothing"));
    assert!(experiment.stop().unwrap().is_empty());
}
