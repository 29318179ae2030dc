import "./shell/colors.css";
import "./shell/shell.css";
import "./shell/controls.css";
import "./shell/tables.css";
import { render } from "preact";
import { App } from "./shell/app";
import { applyTheme } from "./shell/settings";

applyTheme();
const root = document.getElementById("page");
if (root !== null) render(<App />, root);
