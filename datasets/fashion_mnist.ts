import type { Dataset } from "../harness/core/types.ts";
import { fileDataset, type FileSource } from "./parts/file_dataset.ts";
import { idxSource, mnistParts } from "./parts/idx_dataset.ts";

const URL_PREFIX = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

/** Source of Fashion-MNIST. */
export const fashionMnistSource: FileSource = idxSource({
  name: "fashion_mnist",
  label: "Fashion-MNIST",
  source:
    "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, arXiv 1708.07747; github.com/zalandoresearch/fashion-mnist; MIT licence",
  counts: { train: 60_000, test: 10_000 },
  parts: mnistParts(URL_PREFIX, {
    trainImages: {
      bytes: 26_421_880,
      sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
      unpackedSha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    trainLabels: {
      bytes: 29_515,
      sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
      unpackedSha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    testImages: {
      bytes: 4_422_102,
      sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
      unpackedSha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    testLabels: {
      bytes: 5_148,
      sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
      unpackedSha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
  }),
});

/** Fashion-MNIST with all 70,000 images, from the data folder. */
export const fashionMnist: Dataset = fileDataset(fashionMnistSource);
