// Photographs as they are sent: no longer than 1600 pixels on a side, and drawn anew, so that nothing of the camera's
// notes - place, time, device - is left in them.

const LONGEST = 1600;
const SHOWN = 160;

/** The photograph drawn anew, as a JPEG; null if this browser cannot read it: then the server does the same. */
export async function redrawn(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  const canvas = draw(picture, LONGEST);
  picture.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
}

/** A small picture of it for the page; null where it cannot be drawn. Drawn, since pages here show no data: addresses. */
export async function small(blob) {
  try {
    const picture = await createImageBitmap(blob);
    const canvas = draw(picture, SHOWN);
    picture.close();
    return canvas;
  } catch {
    return null;
  }
}

function draw(picture, longest) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d");
  // What shines through would be black in a JPEG.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
