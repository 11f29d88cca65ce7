/* Classifies images of the host on a bare processor, and measures what that takes.
 *
 * Reads ../../images.u8 and ../expected.u16, writes the logits of each image to logits.f32, and
 * prints a line for each measurement. Fails where a class is not the expected one, and where the
 * stack was too small.
 */
#include "../model.h"
#include "device.h"

#ifndef SPK_IMAGES
#define SPK_IMAGES 20 /* at most so many, from the first */
#endif

#define PIXELS (SPK_IMAGE_HEIGHT * SPK_IMAGE_WIDTH * SPK_IMAGE_CHANNELS)
#define PRINT(name, number) print(console, name " ", sizeof name, (uint64_t)(number))

static void print(int console, const char *name, int length, uint64_t number)
{
    char text[21];
    int first = sizeof text;
    text[--first] = '\n';
    do {
        text[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    device_write(console, name, length);
    device_write(console, text + first, (int)sizeof text - first);
}

int main(void)
{
    static uint8_t image[PIXELS];
    static float logits[SPK_CLASSES];
    const int console = device_open(DEVICE_CONSOLE, DEVICE_PRINT);
    const int images = device_open("../../images.u8", DEVICE_READ);
    const int expected = device_open("../expected.u16", DEVICE_READ);
    const int output = device_open("logits.f32", DEVICE_WRITE);
    int seen = 0, agreed = 0, got = PIXELS, stack;
    uint64_t ticks = 0;
    if (images < 0 || expected < 0 || output < 0)
        return 1;
    while (seen < SPK_IMAGES && (got = device_read(images, image, PIXELS)) == PIXELS) {
        const uint32_t before = device_ticks();
        const int class = spk_classify(image, logits);
        uint8_t other[2]; /* low byte first */
        ticks += (uint32_t)(device_ticks() - before);
        if (device_read(expected, other, sizeof other) != sizeof other)
            return 1;
        seen++;
        agreed += class == (other[0] | other[1] << 8);
        device_write(output, logits, sizeof logits);
    }
    if (seen == 0 || (got != PIXELS && got != 0)) /* no image, or half of one */
        return 1;
    stack = device_stack_bytes();
    PRINT("images", seen);
    PRINT("same_class", agreed);
    PRINT("instructions_per_image", ticks * DEVICE_TICK / (uint64_t)seen);
    PRINT("stack_bytes", stack);
    if (agreed != seen)
        PRINT("error: another class than expected on images:", seen - agreed);
    if (stack == device_stack_size())
        PRINT("error: the stack is too small, bytes:", stack);
    return agreed != seen || stack == device_stack_size();
}
