import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const COLORS = new URL("../src/boxmask/pages/template/", import.meta.url);
const BUNDLE = fileURLToPath(new URL("../src/boxmask/serving/page/static", import.meta.url));

/** Fills `--colors: light;` in CSS with the colors that the reports have, too. */
function sharedColors(): Plugin {
  return {
    name: "shared-colors",
    enforce: "pre",
    transform(code, id) {
      if (!id.endsWith("colors.css")) return null;
      const filled = code.replace(/--colors: (\w+);/g, (_, theme: string) => {
        const file = fileURLToPath(new URL(`colors-${theme}.css`, COLORS));
        this.addWatchFile(file);
        return readFileSync(file, "utf-8").trim();
      });
      return { code: filled, map: null };
    },
  };
}

export default defineConfig({
  base: "./", // the server may be mounted below a path
  plugins: [sharedColors()],
  build: {
    outDir: process.env.PAGE_OUT ?? BUNDLE,
    emptyOutDir: true,
    assetsDir: "page", // the server delivers /page/NAME
    assetsInlineLimit: 0, // the content policy allows files only
    modulePreload: { polyfill: false },
    target: "es2022",
    cssTarget: ["chrome100", "firefox100", "safari15"], // nested rules are written out
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8000" } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
