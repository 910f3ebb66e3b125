//! A serial port over USB (CDC ACM). Refuses an identity of its own: the numbers are those that pid.codes sets aside
//! for trials.

use core::convert::Infallible;

use embassy_futures::join::join;
use embassy_usb::class::cdc_acm::{BufferedReceiver, CdcAcmClass, Sender, State};
use embassy_usb::driver::Driver;
use embassy_usb::{Builder, Config, UsbDevice};
use static_cell::StaticCell;

use crate::port::Port;

const VENDOR: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;
const PACKET: u16 = 64;

struct Buffers {
    configuration: [u8; 128],
    bos: [u8; 16],
    control: [u8; 64],
    packet: [u8; PACKET as usize],
    state: State<'static>,
}

/// Makes `port` a serial port of the host that `driver` is plugged into. To be called once.
pub async fn serial<D: Driver<'static>, const N: usize>(
    driver: D,
    product: &'static str,
    port: &Port<N>,
) -> Infallible {
    let (mut device, sender, receiver) = attach(driver, product);
    join(device.run(), port.pump(receiver, sender)).await.1
}

type Attached<D> = (
    UsbDevice<'static, D>,
    Sender<'static, D>,
    BufferedReceiver<'static, D>,
);

/// The device and the two ends of its port. What it takes to make them is gone when this returns.
fn attach<D: Driver<'static>>(driver: D, product: &'static str) -> Attached<D> {
    static BUFFERS: StaticCell<Buffers> = StaticCell::new();
    let buffers = BUFFERS.init_with(|| Buffers {
        configuration: [0; 128],
        bos: [0; 16],
        control: [0; 64],
        packet: [0; PACKET as usize],
        state: State::new(),
    });
    let mut config = Config::new(VENDOR, PRODUCT);
    config.manufacturer = Some("Longwire");
    config.product = Some(product);
    let mut builder = Builder::new(
        driver,
        config,
        &mut buffers.configuration,
        &mut buffers.bos,
        &mut [],
        &mut buffers.control,
    );
    let class = CdcAcmClass::new(&mut builder, &mut buffers.state, PACKET);
    let (sender, receiver) = class.split();
    let receiver = receiver.into_buffered(&mut buffers.packet);
    (builder.build(), sender, receiver)
}
