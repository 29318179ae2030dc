import { createStore } from "./store";

/** Rises when the server may offer more than before. */
export const offerTurn = createStore(0);

/** Ask the server again what it offers: the first trained model, for example, opens further views. */
export function askForOffer(): void {
  offerTurn.set(offerTurn.get() + 1);
}
