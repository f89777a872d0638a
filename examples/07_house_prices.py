"""House prices: standardized and one-hot columns, K-fold validation, an MLP with dropout and weight decay.

    python examples/07_house_prices.py train.csv --noise 0.1

reads the table of Kaggle's competition "House Prices: Advanced Regression Techniques"; without it, a table with the
same columns is made up. With LIBRARY=torch before it, it runs under PyTorch, and the numbers are the same.
"""

import argparse
import csv
import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

torch: Any = importlib.import_module(os.environ.get("LIBRARY", "fastgrad"))  # import fastgrad as torch
nn: Any = torch.nn
data: Any = torch.utils.data

TARGET = "SalePrice"
TABLE = Path(__file__).parents[2] / "shared" / "data" / "house_prices" / "train.csv"
NUMBERS = (
    "MSSubClass LotFrontage LotArea OverallQual OverallCond YearBuilt YearRemodAdd MasVnrArea BsmtFinSF1 BsmtFinSF2 "
    "BsmtUnfSF TotalBsmtSF 1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath "
    "BedroomAbvGr KitchenAbvGr TotRmsAbvGrd Fireplaces GarageYrBlt GarageCars GarageArea WoodDeckSF OpenPorchSF "
    "EnclosedPorch 3SsnPorch ScreenPorch PoolArea MiscVal MoSold YrSold"
).split()
NAMES = (
    "MSZoning Street Alley LotShape LandContour Utilities LotConfig LandSlope Neighborhood Condition1 Condition2 "
    "BldgType HouseStyle RoofStyle RoofMatl Exterior1st Exterior2nd MasVnrType ExterQual ExterCond Foundation BsmtQual "
    "BsmtCond BsmtExposure BsmtFinType1 BsmtFinType2 Heating HeatingQC CentralAir Electrical KitchenQual Functional "
    "FireplaceQu GarageType GarageFinish GarageQual GarageCond PavedDrive PoolQC Fence MiscFeature SaleType "
    "SaleCondition"
).split()
BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 64, 0.003, 0.0001, 0.1


def read(path):
    """The columns of a CSV by name, as lists of strings; "NA" and "" are gaps."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def made_up(count=400):
    """A table of the same columns: numbers and names that follow a hidden size and quality, as prices do."""
    random = np.random.RandomState(0)
    size, quality = random.randn(2, count)
    columns = {}
    for i, name in enumerate(NUMBERS):
        values = 10 + 3 * random.randn(count) + 2 * (size, quality, 0)[i % 3]
        columns[name] = ["NA" if gap else f"{value:.1f}" for value, gap in zip(values, random.rand(count) < 0.02)]
    for i, name in enumerate(NAMES):
        level = np.digitize(random.randn(count) + (size, quality, 0)[i % 3], (-1, 0, 1))
        columns[name] = ["NA" if each == 3 else "ABC"[each] for each in level]
    log_price = 12 + 0.25 * size + 0.2 * quality + 0.08 * random.randn(count)
    columns[TARGET] = [f"{price:.0f}" for price in np.exp(log_price)]
    return columns


def features(columns, training):
    """Inputs of all rows, float32: standardized by the rows ``training``, gaps at the mean; names one-hot."""
    inputs = []
    for name in NUMBERS:
        values = np.array([np.nan if text in ("NA", "") else float(text) for text in columns[name]])
        mean, std = np.nanmean(values[training]), np.nanstd(values[training])
        inputs.append(np.nan_to_num((values - mean) / (std or 1.0)))
    for name in NAMES:
        values = np.array(columns[name])
        inputs += [values == known for known in np.unique(values[training])]  # a gap is a name too
    return np.stack(inputs, axis=1).astype(np.float32)


def network(inputs):
    """SiLU because it is smooth: rounding may put a ReLU's input on the other side of its corner, and from there on two
    libraries go different ways."""
    return nn.Sequential(
        *(nn.Linear(inputs, 64), nn.SiLU(), nn.Dropout(DROPOUT)),
        *(nn.Linear(64, 32), nn.SiLU(), nn.Dropout(DROPOUT)),
        nn.Linear(32, 1),
    )


def log_rmse(net, X, y):
    net.eval()
    with torch.no_grad():
        return torch.sqrt(((net(X) - y) ** 2).mean()).item()


def train(X, y, epochs, noise):
    net = network(X.shape[1])
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    loss_function = nn.MSELoss()
    loader = data.DataLoader(data.TensorDataset(X, y), BATCH_SIZE, shuffle=True)
    net.train()
    for _ in range(epochs):
        for inputs, prices in loader:
            if noise:  # a slightly different house for the same price, each time it is seen
                inputs = inputs + noise * torch.randn_like(inputs)
            optimizer.zero_grad()
            loss = loss_function(net(inputs), prices)
            loss.backward()
            optimizer.step()
    return net


def main(path=None, noise=0.0, folds=5, epochs=30):
    if path is None and TABLE.exists():
        path = TABLE
    columns = read(path) if path else made_up()
    log_price = np.log(np.array(columns[TARGET], dtype=np.float64))
    print(f"{len(log_price)} houses" + ("" if path else ", made up"))

    torch.manual_seed(7)
    order = torch.randperm(len(log_price)).numpy()
    results = []
    for fold, held_out in enumerate(np.array_split(order, folds)):
        training = np.setdiff1d(order, held_out)
        X = torch.from_numpy(features(columns, training))
        mean = log_price[training].mean()
        y = torch.from_numpy((log_price - mean).astype(np.float32)).reshape(-1, 1)
        rows = [torch.from_numpy(part) for part in (training, held_out)]
        net = train(X[rows[0]], y[rows[0]], epochs, noise)
        scores = [log_rmse(net, X[part], y[part]) for part in rows]
        alone = (y[rows[1]] ** 2).mean().sqrt().item()
        print(f"fold {fold + 1}: log-RMSE {scores[0]:.4f} trained, {scores[1]:.4f} held out; the mean alone {alone:.4f}")
        results.append(scores)
    trained, held_out = np.mean(results, axis=0)
    print(f"{folds} folds: log-RMSE {trained:.4f} trained, {held_out:.4f} held out")
    return {"log_rmse": results}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="K-fold validation of an MLP on house prices.")
    parser.add_argument("path", nargs="?", help="the competition's train.csv (otherwise a table is made up)")
    parser.add_argument("--noise", type=float, default=0.0, help="noise added to the inputs (%(default)s)")
    parser.add_argument("--folds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--epochs", type=int, default=30, help="(%(default)s)")
    main(**vars(parser.parse_args()))
