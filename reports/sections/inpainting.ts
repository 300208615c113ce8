import { type Block, formatNumber, formatSeeds, nameOf, NONE } from "../document/block.ts";
import type { InpaintingCell, ResultTable } from "../document/result_table.ts";

/** How well methods fill in hidden pixels, beside two fillings that need no model. */
export function inpaintingBlocks({ rows, datasets }: ResultTable): Block[] {
  const cellsOn = (name: string) =>
    rows.flatMap(({ inpainting }) => inpainting.filter(({ dataset }) => dataset === name));
  const shown = datasets.flatMap(({ name, label }) => {
    const [cell] = cellsOn(name);
    return cell === undefined ? [] : [{ name, label, cell }];
  });
  if (shown.length === 0) return [];
  const body = rows.map((row) => [
    nameOf(row),
    ...shown.map(({ name }) => {
      const cell = row.inpainting.find(({ dataset }) => dataset === name);
      return cell === undefined ? NONE : formatSeeds(cell);
    }),
  ]);
  const floor = (label: string, errorOf: (floors: InpaintingCell["floors"]) => number) => [
    label,
    ...shown.map(({ cell }) => formatNumber(errorOf(cell.floors))),
  ];
  const facts = shown.map(({ label, cell: { images, hiddenShare } }) =>
    `${label}: ${images} images, ${(100 * hiddenShare).toFixed(1)} % of their pixels hidden.`
  );
  return [
    { kind: "heading", text: "Hidden pixels" },
    {
      kind: "table",
      caption: "Squared error on hidden pixels",
      head: ["Method", ...shown.map(({ label }) => label)],
      rows: [
        ...body,
        floor("Mean image", ({ meanImage }) => meanImage),
        floor("Blur of the seen pixels", ({ blur }) => blur),
      ],
    },
    {
      kind: "text",
      text:
        "Mean squared error per hidden pixel in [0, 1], filled in from one draw of the posterior given the seen pixels of the " +
        "image, or by what a model without latents fits to them, lower is better; mean ± sample standard deviation over n seeds. After inpaint: the hidden pixels are of test " +
        "images and the model has learned from whole images; after recover: each training image has hidden pixels of its own, " +
        "and the model has learned from the seen ones alone. Mean image: of the training images, over their seen pixels. Blur: " +
        "what stands in the place of hidden pixels before the model sees an image. Each run's inpaintings.png shows the images " +
        `with pixels hidden, filled in, and whole. ${
          facts.join(" ")
        } ${NONE}: the method does not infer from a part of the ` +
        "pixels, or does so by an encoder that knows whole images alone.",
    },
  ];
}
