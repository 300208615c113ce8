import type { RunRecord } from "../../harness/core/records.ts";
import type { ResultTable, Row } from "../document/result_table.ts";

/** A picture of a run, small enough for the page. */
export interface Picture {
  /** A data URL. */
  readonly url: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Images across and down. */
  readonly columns: number;
  readonly rows: number;
}

/** Pictures by the paths of their originals in the output folder: `ID/samples.png`. */
export type Pictures = Readonly<Record<string, Picture>>;

/** A file to download from the page. */
export interface Download {
  readonly name: string;
  /** Its content, in a few words. */
  readonly about: string;
  /** A data URL. */
  readonly url: string;
}

/** A row of the table with the records behind it; none for other ways to sample. */
export interface RowRecords {
  readonly row: Row;
  readonly records: readonly RunRecord[];
}

/** The data of figures. */
export interface FigureData {
  readonly table: ResultTable;
  readonly rows: readonly RowRecords[];
}

/** The label of a data set. */
export function datasetLabel({ datasets }: Pick<ResultTable, "datasets">, name: string): string {
  return datasets.find((dataset) => dataset.name === name)?.label ?? name;
}
